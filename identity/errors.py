"""The refusals of identity.

    IdentityError
    ├── InvalidCredentials      invalid_credentials     wrong e-mail or password, never which
    ├── InvalidToken            invalid_token           forged, foreign, or its session has ended
    ├── ExpiredToken            expired_token           refresh it
    ├── InvalidRefreshToken     invalid_refresh_token   unknown, expired, or spent: sign in again
    ├── Suspended               suspended               right password, suspended account
    ├── EmailTaken              email_taken
    ├── UnknownUser             not_found
    ├── TooManyLogins           rate_limited            carries retry_after_s
    ├── IdentityBusy            unavailable             carries retry_after_s
    └── InvalidField            invalid_request         carries the field
        ├── InvalidRegistration     email, display_name or password
        ├── InvalidRoles            roles
        └── InvalidPaging           cursor or limit

`code` is the protocol's and made for programs, `message` is made for people. No message carries
a password, a token or an e-mail.
"""

from typing import ClassVar


class IdentityError(Exception):
    """A refusal; the base of all of them."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidCredentials(IdentityError):
    """E-mail and password do not belong together."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The e-mail or the password is wrong. Check both and try again.")


class InvalidToken(IdentityError):
    """The access token is not one of ours, or its session has ended."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("This access token is not valid. Sign in again.")


class ExpiredToken(IdentityError):
    """The access token was valid, and is no more."""

    code = "expired_token"

    def __init__(self) -> None:
        super().__init__("This access token has expired. Refresh it.")


class InvalidRefreshToken(IdentityError):
    """The refresh token is unknown, expired or spent."""

    code = "invalid_refresh_token"

    def __init__(self) -> None:
        super().__init__("This refresh token is no longer valid. Sign in again.")


class Suspended(IdentityError):
    """The account is suspended."""

    code = "suspended"

    def __init__(self) -> None:
        super().__init__("This account is suspended. Ask the operator of this server why.")


class EmailTaken(IdentityError):
    """Another account has this e-mail."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("An account with this e-mail exists. Sign in, or use another e-mail.")


class UnknownUser(IdentityError):
    """No such user."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such user. Check the id.")


class TooManyLogins(IdentityError):
    """Too many failed logins of this account or from this address."""

    code = "rate_limited"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many failed logins. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class IdentityBusy(IdentityError):
    """More passwords or session changes are waiting than this node takes."""

    code = "unavailable"

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__("Too many people are signing in at this moment. Try again soon.")
        self.retry_after_s = retry_after_s


class InvalidField(IdentityError):
    """A field of the request breaks a rule."""

    code = "invalid_request"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidRegistration(InvalidField):
    """`email`, `display_name` or `password` cannot be registered."""


class InvalidRoles(InvalidField):
    """A user cannot have these roles."""

    def __init__(self, message: str) -> None:
        super().__init__("roles", message)


class InvalidPaging(InvalidField):
    """`cursor` or `limit` is none of ours."""
