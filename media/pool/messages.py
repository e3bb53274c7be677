"""What a worker process is asked and what it tells: values, and their JSON.

A `Call` has one `Answer` with the same id, which carries a result of the call's type, a refusal of
the media plane, or the news of a fault. What the worker tells unasked (`Told`) comes in the order
in which it happened, and in that order with the answers.

Nothing in a message is bound to one machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar, cast, get_args
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from config.media import MediaSettings
from media.door import WorkerFigures
from media.events import MediaEvent
from media.feeds import Feed, Link
from media.live import StreamStats
from media.negotiation import Patched
from media.worker import Accepted

VERSION: Final = 1
"""Grows with every change that an older end would misread."""

Result = TypeVar("Result")


class BadMessage(ValueError):
    """A frame that holds no message of this protocol."""


class Call(Generic[Result]):
    """Something that a worker is asked to do, and the type of what it answers."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The worker serves at this UDP port; `feed_host` is where other workers reach it."""

    version: int
    port: int
    feed_host: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The worker can't serve: another version, a port that is taken, no native plane."""

    reason: str
    port_taken: bool = False


@dataclass(frozen=True, slots=True)
class Hello(Call[Welcome | Declined]):
    """The first call, and the only one before the worker has answered it with a Welcome."""

    version: int
    settings: MediaSettings
    ice_key: str
    """Hexadecimal. All workers of a server have the same, so that one can stand in for another."""


@dataclass(frozen=True, slots=True)
class Publish(Call[Accepted]):
    stream_id: UUID
    publisher_id: UUID
    offer: str


@dataclass(frozen=True, slots=True)
class Watch(Call[Accepted]):
    stream_id: UUID
    offer: str


@dataclass(frozen=True, slots=True)
class PatchPublisher(Call[Patched]):
    stream_id: UUID
    session_id: str
    fragment: str
    if_match: str | None


@dataclass(frozen=True, slots=True)
class PatchViewer(Call[Patched]):
    stream_id: UUID
    session_id: str
    fragment: str
    if_match: str | None


@dataclass(frozen=True, slots=True)
class EndPublisher(Call[None]):
    stream_id: UUID
    session_id: str


@dataclass(frozen=True, slots=True)
class EndViewer(Call[None]):
    stream_id: UUID
    session_id: str


@dataclass(frozen=True, slots=True)
class StopStream(Call[None]):
    stream_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ReadStats(Call[StreamStats | None]):
    stream_id: UUID


@dataclass(frozen=True, slots=True)
class OpenFeed(Call[Feed]):
    """To the origin of a stream: send it to an edge."""

    stream_id: UUID
    link: Link


@dataclass(frozen=True, slots=True)
class CloseFeed(Call[None]):
    """To the origin: send it no longer."""

    stream_id: UUID
    feed: int


@dataclass(frozen=True, slots=True)
class Pull(Call[None]):
    """To an edge: this feed comes."""

    stream_id: UUID
    publisher_id: UUID
    link: Link
    feed: Feed


@dataclass(frozen=True, slots=True)
class Unlink(Call[None]):
    """To an edge: the feed is gone, its viewers stay."""

    stream_id: UUID


@dataclass(frozen=True, slots=True)
class Stop(Call[None]):
    """End every stream, close the port, answer, and end the process."""


RESULTS: Final[Mapping[type[Call[Any]], TypeAdapter[Any]]] = {
    Hello: TypeAdapter(Welcome | Declined),
    Publish: TypeAdapter(Accepted),
    Watch: TypeAdapter(Accepted),
    PatchPublisher: TypeAdapter(Patched),
    PatchViewer: TypeAdapter(Patched),
    EndPublisher: TypeAdapter(None),
    EndViewer: TypeAdapter(None),
    StopStream: TypeAdapter(None),
    ReadStats: TypeAdapter(StreamStats | None),
    OpenFeed: TypeAdapter(Feed),
    CloseFeed: TypeAdapter(None),
    Pull: TypeAdapter(None),
    Unlink: TypeAdapter(None),
    Stop: TypeAdapter(None),
}


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker is alive, and so busy; told every `BEAT_S`."""

    figures: WorkerFigures
    packets_per_s: float
    """RTP packets received and forwarded, over the time since the beat before."""
    viewer_sessions: int
    """Viewers, connected or connecting."""
    deaf: tuple[UUID, ...] = ()
    """Streams that it pulls and that don't come."""


BEAT_S: Final = 1.0

Told = MediaEvent | Beat


@dataclass(frozen=True, slots=True)
class Refusal:
    """A `MediaRefusal` on its way: its class, its words, its fields."""

    name: str
    message: str
    fields: dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call and the id that its answer will have."""

    id: int
    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` is still JSON; `read_result` makes it the call's result."""

    id: int
    result: Any = None
    refusal: Refusal | None = None
    fault: str | None = None
    """The worker has a bug, which it has logged."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every frame holds."""

    kind: Literal["call", "answer", "told"]
    name: str = ""
    """Of the call, or of what is told."""
    id: int = 0
    body: Any = field(default=None)


Message = Asked | Answer | Told

_ENVELOPE: Final = TypeAdapter(Envelope)
_ANSWER: Final = TypeAdapter(Answer)
_CALLS: Final = {kind.__name__: TypeAdapter(kind) for kind in RESULTS}
_TOLD: Final[dict[str, TypeAdapter[Any]]] = {
    kind.__name__: TypeAdapter(kind) for kind in get_args(Told)
}


def encode(message: Message) -> bytes:
    """The message as JSON."""
    if isinstance(message, Asked):
        name = type(message.call).__name__
        return to_json(Envelope("call", name, message.id, _dump(_CALLS[name], message.call)))
    if isinstance(message, Answer):
        return to_json(Envelope("answer", id=message.id, body=_dump(_ANSWER, message)))
    name = type(message).__name__
    return to_json(Envelope("told", name, body=_dump(_TOLD[name], message)))


def decode(data: bytes) -> Message:
    """The message in `data`. Raises BadMessage."""
    try:
        envelope = _ENVELOPE.validate_python(from_json(data))
        if envelope.kind == "call":
            return Asked(envelope.id, _CALLS[envelope.name].validate_python(envelope.body))
        if envelope.kind == "answer":
            return _ANSWER.validate_python(envelope.body)
        return cast(Told, _TOLD[envelope.name].validate_python(envelope.body))
    except ValidationError as error:
        raise BadMessage(f"{error.error_count()} faults in a {error.title}") from None
    except KeyError as error:
        raise BadMessage(f"an unknown name {str(error)[:80]}") from None
    except ValueError as error:  # no JSON at all
        raise BadMessage(str(error)[:200]) from None


def dump_result(call: Call[Result], result: Result) -> Any:
    """A call's result as JSON for its answer."""
    return _dump(RESULTS[type(call)], result)


def read_result(call: Call[Result], result: Any) -> Result:
    """A call's result out of its answer. Raises BadMessage."""
    try:
        return cast(Result, RESULTS[type(call)].validate_python(result))
    except ValidationError as error:
        raise BadMessage(f"no result of {type(call).__name__}: {error.error_count()} faults") from (
            None
        )


def _dump(adapter: TypeAdapter[Any], value: object) -> Any:
    return adapter.dump_python(value, mode="json")
