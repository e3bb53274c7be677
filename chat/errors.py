"""Refusals of the chat, and the codes that connections close with.

ChatRefusal                 answered with a `refused` frame; the connection goes on
├── BadFrame                bad_frame         counted: too many end the connection
│   ├── UnknownType         unknown_type
│   ├── TooLarge            too_large
│   └── HelloFirst          hello_first
├── InvalidToken            invalid_token
├── ExpiredToken            expired_token
├── Suspended               suspended
├── Unauthenticated         unauthenticated
├── Forbidden               forbidden
├── UnknownStream           unknown_stream
├── UnknownMessage          unknown_message
├── UnknownUser             unknown_user
├── NotJoined               not_joined
├── TooManyRooms            too_many_rooms
├── RateLimited             rate_limited      with retry_after_ms
├── TimedOut                timed_out         with until
├── EmptyText               empty_text
├── TextTooLong             text_too_long
├── InvalidCount            invalid_count
├── GiftRefused             the code of the ledger's refusal
└── Unavailable             unavailable
Disconnect                  ends the connection with a CloseCode
"""

from enum import IntEnum


class CloseCode(IntEnum):
    """WebSocket close codes of this protocol (RFC 6455 §7.4)."""

    GOING_AWAY = 1001
    WRONG_KIND = 1007
    HELLO_TIMEOUT = 4000
    BAD_FRAMES = 4001
    TOO_SLOW = 4002
    SIGNED_OUT = 4003
    TOO_MANY_CONNECTIONS = 4004


class Disconnect(Exception):
    """The connection ends with `code`; `reason` tells the person why (at most 123 bytes)."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


class ChatRefusal(Exception):
    """A request is refused: `code` for programs, `message` for people, `details` for both."""

    code = "refused"
    message = "This request can't be served."

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or type(self).message
        self.details = details
        super().__init__(self.message)


class BadFrame(ChatRefusal):
    """The frame is malformed."""

    code = "bad_frame"
    message = "A frame is a flat map with a string `t`. See docs/PROTOCOL.md."


class UnknownType(BadFrame):
    """The frame type does not exist."""

    code = "unknown_type"
    message = "There is no such frame type. See docs/PROTOCOL.md."


class TooLarge(BadFrame):
    """The frame has too many fields."""

    code = "too_large"
    message = "A frame has at most 16 fields."


class HelloFirst(BadFrame):
    """Something else came before the first hello."""

    code = "hello_first"
    message = "Send `hello` first."


class InvalidToken(ChatRefusal):
    """The token is no access token of this server."""

    code = "invalid_token"
    message = "This access token is not valid. Sign in again."


class ExpiredToken(ChatRefusal):
    """The token's time is over."""

    code = "expired_token"
    message = "This access token has expired. Refresh it and send `hello` again."


class Suspended(ChatRefusal):
    """The account is suspended."""

    code = "suspended"
    message = "This account is suspended."


class Unauthenticated(ChatRefusal):
    """Guests may only read."""

    code = "unauthenticated"
    message = "Guests may only read. Send `hello` with an access token."


class Forbidden(ChatRefusal):
    """The user's roles don't allow it."""

    code = "forbidden"
    message = "Only moderators, admins and the stream's owner may do this."


class UnknownStream(ChatRefusal):
    """No such stream."""

    code = "unknown_stream"
    message = "There is no such stream."


class UnknownMessage(ChatRefusal):
    """No such message, or it is gone already."""

    code = "unknown_message"
    message = "This message does not exist or was deleted already."


class UnknownUser(ChatRefusal):
    """No such user."""

    code = "unknown_user"
    message = "There is no such user."


class NotJoined(ChatRefusal):
    """The connection is not in this room."""

    code = "not_joined"
    message = "Join this stream's room first."


class TooManyRooms(ChatRefusal):
    """The connection is in as many rooms as it may be."""

    code = "too_many_rooms"
    message = "This connection has joined too many rooms. Leave one first."


class RateLimited(ChatRefusal):
    """Too much in too short a time."""

    code = "rate_limited"
    message = "Too fast. Try again in a moment."


class TimedOut(ChatRefusal):
    """A moderator took the user's voice for a while."""

    code = "timed_out"
    message = "A moderator has timed you out in this room."


class EmptyText(ChatRefusal):
    """Nothing visible is left of the text."""

    code = "empty_text"
    message = "Write something that can be seen."


class TextTooLong(ChatRefusal):
    """The text is too long."""

    code = "text_too_long"
    message = "This message is too long. Shorten it."


class InvalidCount(ChatRefusal):
    """The count of a gift is no positive integer."""

    code = "invalid_count"
    message = "`count` is a whole number of at least 1."


class Unavailable(ChatRefusal):
    """A part that the request needs does not answer."""

    code = "unavailable"
    message = "This can't be done right now. Send the same request again in a moment."


class GiftRefused(ChatRefusal):
    """The ledger refused the gift; carries the ledger's own code and message."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message, **details)
        self.code = code
