"""What a room is told: the events of the protocol, and the signals between nodes.

Every event is a frame with `stream_id`. Signals travel the same way between nodes and are shown to
nobody: `presence` (a node's viewers changed) and, in the control room, `disconnect`.
"""

from datetime import UTC, datetime
from uuid import UUID

from chat.frames import Frame
from chat.members import GiftFace, Member
from ledger.events import GiftSent, LedgerEvent

CONTROL_ROOM = "control"
"""The room that every node listens to."""


def rfc3339(moment: datetime) -> str:
    """An aware time in UTC with milliseconds (RFC 3339)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: datetime) -> int:
    """An aware time in Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def moment_at(unix_ms: int) -> datetime:
    """The aware time of Unix milliseconds."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def message(stream_id: UUID, message_id: UUID, member: Member, text: str, at: datetime) -> Frame:
    """Somebody wrote `text`."""
    return {
        "t": "message",
        "stream_id": str(stream_id),
        "message_id": str(message_id),
        "user": member.as_user(),
        "text": text,
        "at": rfc3339(at),
    }


def gift(event: LedgerEvent, sent: GiftSent, face: GiftFace) -> Frame:
    """A gift that the ledger has posted."""
    return {
        "t": "gift",
        "stream_id": str(sent.stream_id),
        "event_id": str(event.event_id),
        "user": {"user_id": str(sent.payer_id), "name": sent.payer_name},
        "gift_id": sent.gift_id,
        "name": face.name,
        "emoji": face.emoji,
        "count": sent.count,
        "total_minor": sent.total_minor,
        "currency": sent.currency,
        "at": rfc3339(event.occurred_at),
    }


def deleted(stream_id: UUID, message_id: UUID, by: UUID) -> Frame:
    """A message was taken out of the room."""
    return {
        "t": "deleted",
        "stream_id": str(stream_id),
        "message_id": str(message_id),
        "by": str(by),
    }


def timed_out(stream_id: UUID, user_id: UUID, until: datetime | None) -> Frame:
    """A user lost their voice until then; with None they have it back."""
    return {
        "t": "timed_out",
        "stream_id": str(stream_id),
        "user_id": str(user_id),
        "until": until and rfc3339(until),
    }


def viewers(stream_id: UUID, count: int) -> Frame:
    """How many connections are in the room, over all nodes."""
    return {"t": "viewers", "stream_id": str(stream_id), "count": count}


def stream(
    stream_id: UUID, state: str, *, reconnect: bool = False, reason: str | None = None
) -> Frame:
    """The stream's state changed; with `reconnect`, media sessions of it were lost; `reason` says
    to people why it ended."""
    frame: Frame = {"t": "stream", "stream_id": str(stream_id), "state": state}
    if reconnect:
        frame["reconnect"] = True
    if reason is not None:
        frame["reason"] = reason
    return frame


def presence_signal() -> Frame:
    """To the nodes of a room: count the viewers again."""
    return {"t": "presence"}


def disconnect_signal(user_id: UUID, code: int) -> Frame:
    """To every node: end the connections of this user."""
    return {"t": "disconnect", "user_id": str(user_id), "code": code}
