"""Registering, signing in and out, and the keys that access tokens are signed with."""

from typing import Any, Literal

from pydantic import RootModel

from identity.session_keeper import SignedIn
from server.gateway.body import Body
from server.gateway.client import CLIENT
from server.gateway.route import Answer, Call
from server.http.shapes import Shape, UserShape

JWKS_MAX_AGE_S = 300


class Register(Body):
    """A new account."""

    email: str
    password: str
    display_name: str


class Login(Body):
    """The credentials of an account."""

    email: str
    password: str


class Refresh(Body):
    """The refresh token to spend."""

    refresh_token: str


class Tokens(Shape):
    """What signing in yields; life times are seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - not a secret
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    user: UserShape

    @classmethod
    def of(cls, signed_in: SignedIn) -> "Tokens":
        """The shape of `signed_in`."""
        return cls(
            access_token=signed_in.access_token,
            expires_in=signed_in.expires_in_s,
            refresh_token=signed_in.refresh_token,
            refresh_expires_in=signed_in.refresh_expires_in_s,
            user=UserShape.of(signed_in.user),
        )


class KeySet(RootModel[dict[str, Any]]):
    """A JSON Web Key Set (RFC 7517)."""


async def register(call: Call) -> Answer:
    """Make an account and sign in."""
    body = call.read(Register)
    signed_in = await call.services.identity.register(
        email=body.email, password=body.password, display_name=body.display_name
    )
    return Answer(Tokens.of(signed_in), status=201)


async def login(call: Call) -> Answer:
    """Sign in."""
    body = call.read(Login)
    signed_in = await call.services.identity.login(
        email=body.email, password=body.password, ip=call.request[CLIENT].rate_subject
    )
    return Answer(Tokens.of(signed_in))


async def refresh(call: Call) -> Answer:
    """Trade a refresh token for new tokens."""
    signed_in = await call.services.identity.refresh(call.read(Refresh).refresh_token)
    return Answer(Tokens.of(signed_in))


async def logout(call: Call) -> Answer:
    """End the session of the access token."""
    await call.services.identity.logout(call.principal)
    return Answer(status=204)


async def me(call: Call) -> Answer:
    """The caller's own account."""
    return Answer(UserShape.of(await call.services.identity.user(call.principal.user_id)))


async def jwks(call: Call) -> Answer:
    """The public keys of access tokens."""
    return Answer(
        KeySet(call.services.identity.jwks()),
        headers={"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"},
    )
