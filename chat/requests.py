"""What clients may ask for: one type a frame type, read from the fields of a frame.

Readers raise BadFrame naming the field, or the refusal that the protocol has for it. Fields that
are not asked for are ignored, so that newer clients can talk to older servers.
"""

import re
from dataclasses import dataclass
from typing import Self, TypeAlias
from uuid import UUID

from chat import text
from chat.errors import BadFrame, EmptyText, InvalidCount, TextTooLong
from chat.frames import Frame

MAX_TIMEOUT_S = 7 * 24 * 3600
MAX_ID_CHARS = 64
MAX_SAFE_INTEGER = 2**53 - 1  # beyond it JavaScript's numbers lose digits (RFC 8259 §6)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

RequestId: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one frame."""

    frame: Frame
    max_text_chars: int

    def uuid(self, name: str) -> UUID:
        """An id. Raises BadFrame."""
        value = self.frame.get(name)
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise BadFrame(f"`{name}` must be a UUID.")
        return UUID(value)

    def string(self, name: str, max_chars: int) -> str:
        """A string that is not empty. Raises BadFrame."""
        value = self.frame.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= max_chars:
            raise BadFrame(f"`{name}` must be a string of 1 to {max_chars} characters.")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number. Raises BadFrame."""
        value = self.frame.get(name)
        if type(value) is not int or not low <= value <= high:
            raise BadFrame(f"`{name}` must be a whole number from {low} to {high}.")
        return value


def request_id(frame: Frame) -> RequestId:
    """The `id` of a frame that its answer repeats. Raises BadFrame."""
    match frame.get("id"):
        case None:
            return None
        case bool():
            pass
        case int(number) if abs(number) <= MAX_SAFE_INTEGER:
            return number
        case str(name) if len(name) <= MAX_ID_CHARS:
            return name
    raise BadFrame(f"`id` must be a string of at most {MAX_ID_CHARS} characters or an integer.")


@dataclass(frozen=True, slots=True)
class Hello:
    """Sign in; without a token as a guest."""

    token: str | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        if fields.frame.get("token") is None:
            return cls(None)
        return cls(fields.string("token", 4096))


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask for a pong."""

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls()


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a stream's room."""

    stream_id: UUID

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.uuid("stream_id"))


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a stream's room."""

    stream_id: UUID

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.uuid("stream_id"))


@dataclass(frozen=True, slots=True)
class Say:
    """Write a message; `text` is clean."""

    stream_id: UUID
    text: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        stream_id = fields.uuid("stream_id")
        value = fields.frame.get("text")
        if not isinstance(value, str):
            raise BadFrame("`text` must be a string.")
        clean = text.cleaned(value)
        if not text.is_visible(clean):
            raise EmptyText
        if len(clean) > fields.max_text_chars:
            raise TextTooLong(f"A message has at most {fields.max_text_chars} characters.")
        return cls(stream_id, clean)


@dataclass(frozen=True, slots=True)
class SendGift:
    """Give a gift to the stream's owner; `request_id` is the idempotency key."""

    stream_id: UUID
    request_id: UUID
    gift_id: str
    count: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        stream_id, request_id = fields.uuid("stream_id"), fields.uuid("request_id")
        gift_id = fields.string("gift_id", 64)
        count = fields.frame.get("count")
        if type(count) is not int or not 1 <= count <= MAX_SAFE_INTEGER:
            raise InvalidCount
        return cls(stream_id, request_id, gift_id, count)


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a message out of the room."""

    stream_id: UUID
    message_id: UUID

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.uuid("stream_id"), fields.uuid("message_id"))


@dataclass(frozen=True, slots=True)
class TimeOut:
    """Take a user's voice in the room for `seconds`; 0 gives it back."""

    stream_id: UUID
    user_id: UUID
    seconds: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            fields.uuid("stream_id"),
            fields.uuid("user_id"),
            fields.integer("seconds", 0, MAX_TIMEOUT_S),
        )


Request: TypeAlias = Hello | Ping | Join | Leave | Say | SendGift | Delete | TimeOut
RoomRequest: TypeAlias = Leave | Say | SendGift | Delete | TimeOut
