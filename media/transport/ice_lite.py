"""An ICE-lite agent for all sessions behind one socket (RFC 8445 §2.5, RFC 8489), without I/O.

Only checks of known user name fragments are answered, and those of sessions that are over (here, or
with the worker whose place this one took): their consent is revoked. Garbage, and requests of those
who don't know a session's password, cost one parse and get no answer, so the port is no amplifier.
An address belongs to a session only after a check from it carried a right MESSAGE-INTEGRITY.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from media.transport.ice_secret import UFRAG_CHARS, IceSecret
from media.wire.offer import IceCredentials
from media.wire.stun import (
    BindingRequest,
    StunError,
    build_error,
    build_success,
    is_binding_request,
    parse_binding_request,
)

Address = tuple[str, int]

# Longer than any check that an ICE agent sends (RFC 8445 §7.1 adds ~40 bytes of attributes).
MAX_CHECK_BYTES = 548

# A client checks from each of its interfaces; one address more takes the place of the oldest.
MAX_ADDRESSES = 8


class StunDrop(StrEnum):
    """Why a STUN datagram got no answer."""

    MALFORMED = "malformed"
    NOT_A_REQUEST = "not_a_request"
    UNKNOWN_UFRAG = "unknown_ufrag"
    FOREIGN_ADDRESS = "foreign_address"  # it is another session's


class StunRefusal(Enum):
    """Error responses to checks of a known user name fragment: code and reason phrase."""

    NO_INTEGRITY = (400, "Bad Request")  # RFC 8489 §9.1.3
    FORGED = (401, "Unauthenticated")
    REVOKED = (403, "Forbidden")  # RFC 7675 §5.2: the peer is to stop at once
    ROLE_CONFLICT = (487, "Role Conflict")  # RFC 8445 §7.3.1.1


@dataclass(slots=True)
class IceSession:
    """One peer's ICE state: the credentials it must use, and where it was heard from."""

    session_id: str
    credentials: IceCredentials
    retired: IceCredentials | None = None
    """The credentials before an ICE restart; they hold until the new ones are used."""
    superseded: str | None = None
    """The user name fragment that was retired last; checks with it may still be on their way."""
    addresses: list[Address] = field(default_factory=list)
    """Addresses with a valid check, the oldest first."""
    selected: Address | None = None
    """Where to send: the address nominated last, or before any nomination the first one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A valid check, and the answer to it; the address it came from is the session's now."""

    session: IceSession
    response: bytes
    is_new: bool
    """Whether the address was not the session's before."""
    is_selected: bool
    """Whether this check made the address the one to send to."""
    released: Address | None
    """An address that is no longer the session's, because it has too many."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A check that gets an error response and changes nothing."""

    reason: StunRefusal
    response: bytes


class IceLite:
    """The responder: register sessions, then hand it every STUN datagram."""

    def __init__(self, secret: IceSecret) -> None:
        self._secret = secret
        self._superseded: set[str] = set()
        self._by_ufrag: dict[str, IceSession] = {}
        self._by_address: dict[Address, IceSession] = {}

    def credentials(self, ufrag: str) -> IceCredentials:
        """Credentials of ours for a new session or an ICE restart; `ufrag` is fresh and random."""
        return self._secret.credentials(ufrag)

    def session_at(self, address: Address) -> IceSession | None:
        """The session that proved to be at this address."""
        return self._by_address.get(address)

    def register(self, session_id: str, credentials: IceCredentials) -> IceSession:
        """A new session that is checked with these credentials of ours."""
        session = IceSession(session_id, credentials)
        self._claim(session, credentials)
        return session

    def unregister(self, session: IceSession) -> None:
        """Checks of this session are no longer answered; its addresses are free."""
        del self._by_ufrag[session.credentials.ufrag]
        self._retire(session)
        self._superseded.discard(session.superseded or "")
        for address in session.addresses:
            del self._by_address[address]

    def restart(self, session: IceSession, credentials: IceCredentials) -> None:
        """RFC 8445 §9: new credentials of ours; the old ones hold until the new ones are used."""
        self._claim(session, credentials)
        self._retire(session)
        session.retired, session.credentials = session.credentials, credentials

    def receive(self, datagram: bytes, address: Address) -> Checked | Refused | StunDrop:
        """What a STUN datagram means, and the answer to it."""
        request = _parse_request(datagram)
        if isinstance(request, StunDrop):
            return request
        # RFC 8445 §7.2.2: the user name is "<our ufrag>:<its ufrag>".
        ufrag = request.user_name.partition(":")[0]
        session = self._by_ufrag.get(ufrag)
        if session is None:
            return self._revoke(request, ufrag)
        retired = session.retired
        credentials = retired if retired and retired.ufrag == ufrag else session.credentials
        refusal = _find_fault(request, credentials)
        if refusal is not None:
            return _refuse(request, refusal)
        # Otherwise a peer that forges its source could take another one's place.
        if self._by_address.get(address, session) is not session:
            return StunDrop.FOREIGN_ADDRESS
        return self._accept(session, request, credentials, address)

    def _revoke(self, request: BindingRequest, ufrag: str) -> Refused | StunDrop:
        """The answer to a check that would be right if its session were still there."""
        if ufrag in self._superseded or len(ufrag) != UFRAG_CHARS:
            return StunDrop.UNKNOWN_UFRAG
        credentials = self._secret.credentials(ufrag)
        if _find_fault(request, credentials) is not None:
            return StunDrop.UNKNOWN_UFRAG
        return _refuse(request, StunRefusal.REVOKED, credentials)

    def _accept(
        self,
        session: IceSession,
        request: BindingRequest,
        credentials: IceCredentials,
        address: Address,
    ) -> Checked:
        if credentials is session.credentials:
            self._retire(session)
        is_new = address not in session.addresses
        before = session.selected
        released = self._bind(session, address) if is_new else None
        if before is None or request.use_candidate:
            session.selected = address
        response = build_success(request.transaction_id, address, credentials.pwd.encode())
        return Checked(session, response, is_new, session.selected != before, released)

    def _bind(self, session: IceSession, address: Address) -> Address | None:
        """Add an address; the one that gave way to it, if any."""
        session.addresses.append(address)
        self._by_address[address] = session
        if len(session.addresses) <= MAX_ADDRESSES:
            return None
        oldest = next(a for a in session.addresses if a != session.selected)
        session.addresses.remove(oldest)
        del self._by_address[oldest]
        return oldest

    def _claim(self, session: IceSession, credentials: IceCredentials) -> None:
        if credentials.ufrag in self._by_ufrag:
            raise ValueError("the user name fragment is in use")
        self._by_ufrag[credentials.ufrag] = session

    def _retire(self, session: IceSession) -> None:
        if session.retired is not None:
            self._superseded.discard(session.superseded or "")
            session.superseded = session.retired.ufrag
            self._superseded.add(session.superseded)
            del self._by_ufrag[session.retired.ufrag]
            session.retired = None


def _parse_request(datagram: bytes) -> BindingRequest | StunDrop:
    if len(datagram) > MAX_CHECK_BYTES:
        return StunDrop.MALFORMED
    if not is_binding_request(datagram):
        return StunDrop.NOT_A_REQUEST
    try:
        return parse_binding_request(datagram)
    except StunError:
        return StunDrop.MALFORMED


def _find_fault(request: BindingRequest, credentials: IceCredentials) -> StunRefusal | None:
    """PRIORITY is not asked for: some FFmpeg builds leave it out, and nothing here needs it."""
    if request.integrity is None:
        return StunRefusal.NO_INTEGRITY
    if not request.is_signed_with(credentials.pwd.encode()):
        return StunRefusal.FORGED
    # A lite agent is always controlled and can't switch, so its peer must be controlling.
    if request.is_controlled:
        return StunRefusal.ROLE_CONFLICT
    return None


def _refuse(
    request: BindingRequest, refusal: StunRefusal, credentials: IceCredentials | None = None
) -> Refused:
    """An error response; the peer heeds a revocation only with the right MESSAGE-INTEGRITY."""
    password = credentials.pwd.encode() if credentials is not None else None
    return Refused(refusal, build_error(request.transaction_id, *refusal.value, password))
