"""Bodies and queries: bounded in size and time, then validated against the route's model.

Nothing is read before the head is known to be acceptable: a client that announces too much, or
the wrong format, is refused at once, and one that waits for `100 Continue` never gets it.
"""

import asyncio
from typing import Any, Final, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from config.http import HttpSettings
from server.gateway.refusals import (
    BadRequest,
    FieldError,
    InvalidJson,
    InvalidRequest,
    RequestTimedOut,
    TooLarge,
    UnsupportedMediaType,
)

M = TypeVar("M", bound=BaseModel)

JSON: Final = "application/json"
MAX_FIELD_ERRORS: Final = 20
MAX_FIELD_CHARS: Final = 100


class Checked(BaseModel):
    """Input: unknown fields are errors, and no text carries NUL, which PostgreSQL can't keep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _refuse_nul(cls, value: object) -> object:
        if isinstance(value, str) and "\x00" in value:
            raise PydanticCustomError("nul", "Text must not contain NUL characters")
        return value


class Body(Checked):
    """A JSON body; types are strict: no number becomes text, no text a number."""

    model_config = ConfigDict(strict=True)


class Query(Checked):
    """The part of the address behind the question mark."""


async def defer_continue(request: web.Request) -> None:
    """An `expect_handler` that sends nothing: `100 Continue` is sent when the body is wanted."""


def check_size(request: web.Request, settings: HttpSettings) -> None:
    """Raises TooLarge for a body that is announced to be larger than we take."""
    if (request.content_length or 0) > settings.max_body_bytes:
        raise TooLarge(settings.max_body_bytes)


def check_media_type(request: web.Request, accepted: str) -> None:
    """Raises UnsupportedMediaType for a body in another format, encoding or character set."""
    if (
        hdrs.CONTENT_TYPE not in request.headers
        or request.content_type != accepted
        or request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity"
        or (request.charset or "utf-8").lower() not in {"utf-8", "us-ascii"}
    ):
        raise UnsupportedMediaType(request.method, accepted)


async def read_body(request: web.Request, settings: HttpSettings) -> bytes:
    """The whole body. Raises TooLarge or RequestTimedOut."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper has not begun
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await request.read()
    except TimeoutError:
        raise RequestTimedOut from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(settings.max_body_bytes) from None
    except (web.RequestPayloadError, ConnectionError):
        raise BadRequest("The body ends early or is framed wrongly. Send it again.") from None


def parse_body(model: type[M], body: bytes) -> M:
    """The body as `model`. Raises InvalidJson or InvalidRequest."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if any(item["type"] == "json_invalid" for item in error.errors(include_input=False)):
            raise InvalidJson("The body is no JSON. Send one JSON object in UTF-8.") from None
        raise InvalidRequest(field_errors(error)) from None


def parse_query(model: type[M], request: web.Request) -> M:
    """The query as `model`. Raises InvalidRequest."""
    values: dict[str, Any] = {name: request.query[name] for name in request.query}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest(field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """What is wrong, field by field, without the values: those may be secrets."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        FieldError(".".join(str(part) for part in item["loc"])[:MAX_FIELD_CHARS], item["msg"])
        for item in details[:MAX_FIELD_ERRORS]
    ]
