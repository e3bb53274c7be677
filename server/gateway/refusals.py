"""What the gateway itself refuses, before or instead of a domain.

    GatewayRefusal
    ├── BadRequest              bad_request             no HTTP that can be understood
    ├── InvalidJson             invalid_json            the body is no JSON
    ├── InvalidRequest          invalid_request         fields that break their rules, each named
    ├── Unauthenticated         unauthenticated         no access token where one is needed
    ├── InvalidBearer           invalid_token           a bearer that opens nothing
    ├── Forbidden               forbidden               signed in, but not allowed
    ├── NotFound                not_found
    ├── RequestTimedOut         request_timeout         the request came too slowly
    ├── TooLarge                too_large               the body is over the limit
    ├── UnsupportedMediaType    unsupported_media_type  carries what is taken instead
    └── RateLimited             rate_limited            carries retry_after_s

As in the domains, `code` is the protocol's and str() is for people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; `field` is a dotted path."""

    field: str
    message: str


class GatewayRefusal(Exception):
    """A refusal; `headers` go out with it."""

    code: ClassVar[str]
    headers: Mapping[str, str] = NO_HEADERS


class BadRequest(GatewayRefusal):
    """The bytes are no HTTP request."""

    code = "bad_request"


class InvalidJson(GatewayRefusal):
    """The body is no JSON document in UTF-8."""

    code = "invalid_json"


class InvalidRequest(GatewayRefusal):
    """Fields of the body or the query break their rules."""

    code = "invalid_request"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Some fields are not as they must be; `errors` names each. Correct them.")
        self.errors = tuple(errors)


class Unauthenticated(GatewayRefusal):
    """The route needs a bearer and the request has none."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("Sign in, and send the access token as `Authorization: Bearer …`.")


class InvalidBearer(GatewayRefusal):
    """The bearer is no key to this resource."""

    code = "invalid_token"


class Forbidden(GatewayRefusal):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(GatewayRefusal):
    """Nothing lives under this address."""

    code = "not_found"


class RequestTimedOut(GatewayRefusal):
    """The rest of the request did not come in time."""

    code = "request_timeout"

    def __init__(self) -> None:
        super().__init__("The request came too slowly. Send it again over a new connection.")


class TooLarge(GatewayRefusal):
    """The body is larger than the server takes."""

    code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is too large. Send at most {limit} bytes.")


class UnsupportedMediaType(GatewayRefusal):
    """The body is in a format that the route does not take."""

    code = "unsupported_media_type"

    def __init__(self, method: str, accepted: str) -> None:
        super().__init__(f"Send the body as {accepted}.")
        # RFC 5789 §2.2 and RFC 9110 §15.5.16: say what would have been taken.
        self.headers = {"Accept-Patch" if method == "PATCH" else "Accept-Post": accepted}


class RateLimited(GatewayRefusal):
    """Too many requests of this class."""

    code = "rate_limited"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many requests. Wait as long as Retry-After says.")
        self.retry_after_s = retry_after_s
