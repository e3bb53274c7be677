"""Who may call a route. Every route names one of these; there is no default, so none is open by
accident.

An access is asked with `admit`: it returns the signed-in caller (None where the route needs none)
or raises the refusal. Roles don't imply each other, except that an admin may call all that roles
guard.
"""

import secrets
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from uuid import UUID

from aiohttp import hdrs, web

from config.http import HttpSettings
from identity.errors import Suspended
from identity.principal import Principal
from identity.roles import Role
from identity.users import UserStatus
from media.catalog import KEY_PREFIX
from server.gateway.client import CLIENT
from server.gateway.path import path_uuid
from server.gateway.refusals import Forbidden, InvalidBearer, Unauthenticated
from server.services import Services

PAYOUT_SIGNATURE: Final = "Payout-Signature"
"""The header with the signature of a payout provider's notice."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What an access may ask."""

    services: Services
    settings: HttpSettings


class Access(Protocol):
    """A statement of who may call a route."""

    @property
    def who(self) -> str:
        """In words, for the documentation."""

    @property
    def needs_bearer(self) -> bool:
        """Whether a request must carry one."""

    async def admit(self, request: web.Request, gate: Gate) -> Principal | None:
        """The caller; raises a refusal when they may not call."""


@dataclass(frozen=True, slots=True)
class Anyone:
    """No bearer is looked at, so a stale one does no harm."""

    who: ClassVar[str] = "anyone"
    needs_bearer: ClassVar[bool] = False

    async def admit(self, request: web.Request, gate: Gate) -> None:
        """Everyone may."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever has a valid access token."""

    who: ClassVar[str] = "signed in"
    needs_bearer: ClassVar[bool] = True

    async def admit(self, request: web.Request, gate: Gate) -> Principal:
        """The caller whose access token it is."""
        return await gate.services.identity.authenticate(bearer_of(request))


class Roles:
    """Whoever has one of the roles, or is an admin."""

    needs_bearer: ClassVar[bool] = True

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles) | {Role.ADMIN}
        self.who = " or ".join(role.value for role in Role if role in self.roles)

    async def admit(self, request: web.Request, gate: Gate) -> Principal:
        """The caller, if they have a role that may call."""
        principal = await SIGNED_IN.admit(request, gate)
        if principal.roles.isdisjoint(self.roles):
            raise Forbidden(f"Only {self.who} may do this. Ask an admin for the role.")
        return principal


@dataclass(frozen=True, slots=True)
class StreamOwner:
    """The owner of the stream in the path, and nobody else: an admin has routes of their own."""

    who: ClassVar[str] = "its owner"
    needs_bearer: ClassVar[bool] = True

    async def admit(self, request: web.Request, gate: Gate) -> Principal:
        """The caller, if the stream is theirs."""
        principal = await SIGNED_IN.admit(request, gate)
        stream = await gate.services.catalog.get(path_uuid(request, "stream_id"))
        if stream.owner_id != principal.user_id:
            raise Forbidden("This stream belongs to someone else. Use one of your own.")
        return principal


@dataclass(frozen=True, slots=True)
class StreamPublisher:
    """Who may publish to the stream in the path: its owner, or whoever has its key.

    A key outlives sessions, so its owner's account is looked at each time.
    """

    who: ClassVar[str] = "its owner, by access token or stream key"
    needs_bearer: ClassVar[bool] = True

    async def admit(self, request: web.Request, gate: Gate) -> Principal | None:
        """The owner; None for a caller that has the key."""
        bearer = bearer_of(request)
        if bearer.startswith(KEY_PREFIX):
            await self._check_key(path_uuid(request, "stream_id"), bearer, gate.services)
            return None
        principal = await STREAM_OWNER.admit(request, gate)
        _check_may_publish(principal.roles)
        return principal

    async def _check_key(self, stream_id: UUID, key: str, services: Services) -> None:
        stream = await services.catalog.get(stream_id)
        if not await services.catalog.verify_key(stream_id, key):
            raise InvalidBearer("This is not the key of this stream. Copy it again, or renew it.")
        owner = await services.identity.user(stream.owner_id)
        if owner.status is not UserStatus.ACTIVE:
            raise Suspended
        _check_may_publish(owner.roles)


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs the server: by the network that they call from, or by the metrics token."""

    who: ClassVar[str] = "the operator, by network or metrics token"
    needs_bearer: ClassVar[bool] = False

    async def admit(self, request: web.Request, gate: Gate) -> None:
        """The operator needs no account."""
        token = gate.settings.metrics_token
        if token is not None and hdrs.AUTHORIZATION in request.headers:
            given = bearer_of(request).encode()
            if secrets.compare_digest(given, token.get_secret_value().encode()):
                return
            raise InvalidBearer("This is not the metrics token.")
        if not request[CLIENT].in_any(gate.settings.metrics_networks):
            raise Forbidden("Call from one of `http.metrics_networks`, or send the metrics token.")


@dataclass(frozen=True, slots=True)
class PayoutProvider:
    """The provider of payouts: by a signature over the body, which the handler verifies. Whoever
    sends none is turned away before the body is read."""

    who: ClassVar[str] = "the payout provider, by signature"
    needs_bearer: ClassVar[bool] = False

    async def admit(self, request: web.Request, gate: Gate) -> None:
        """The provider needs no account."""
        if PAYOUT_SIGNATURE not in request.headers:
            raise Unauthenticated


ANYONE = Anyone()
SIGNED_IN = SignedIn()
STREAMER = Roles(Role.STREAMER)
ADMIN = Roles(Role.ADMIN)
STREAM_OWNER = StreamOwner()
STREAM_PUBLISHER = StreamPublisher()
OPERATOR = Operator()
PAYOUT_PROVIDER = PayoutProvider()


def bearer_of(request: web.Request) -> str:
    """The bearer that the request carries (RFC 6750 §2.1). Raises Unauthenticated."""
    headers = request.headers.getall(hdrs.AUTHORIZATION, [])
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def _check_may_publish(roles: frozenset[Role]) -> None:
    if roles.isdisjoint(STREAMER.roles):
        raise Forbidden("Only a streamer may publish. Ask an admin for the role.")
