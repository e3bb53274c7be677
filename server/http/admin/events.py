"""Consumers of the event stream, seen and steered by admins: cursors, replays, dead letters."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field, JsonValue

from ledger.replays import Replay
from server.bus.dead_letters import DeadLetter
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Paging, Shape

Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]


class ReplayShape(Shape):
    """A part of the ledger's log that is handed to a consumer again."""

    replay_id: UUID
    consumer: str
    position: int
    until: int
    reason: str
    requested_at: Instant
    finished_at: Instant | None


class ConsumerShape(Shape):
    """How one consumer stands; sequences are of the ledger's log."""

    consumer: str
    finished: int | None
    published: int
    dead_letters: int
    replays: list[ReplayShape]


class ConsumerList(Shape):
    """All consumers."""

    consumers: list[ConsumerShape]


class DeadLetterShape(Shape):
    """An entry that a consumer could not handle; `events` as JSON where it is some."""

    letter_id: str
    entry_id: str
    deliveries: int
    reason: str
    events: JsonValue
    set_aside_at: Instant


class DeadLetterPage(Shape):
    """Dead letters, newest first."""

    dead_letters: list[DeadLetterShape]
    next_cursor: str | None


class ReplayRequest(Body):
    """What to hand over again: everything behind `after`, up to and with `until`."""

    after: Sequence
    until: Sequence | None = None
    reason: str = Field(min_length=1, max_length=200)


async def listed(call: Call) -> Answer:
    """How the consumers of the event stream stand."""
    states = await call.services.consumers.states()
    return Answer(ConsumerList(consumers=[ConsumerShape.model_validate(each) for each in states]))


async def replay(call: Call) -> Answer:
    """Hand a part of the ledger's log to a consumer again."""
    body = call.read(ReplayRequest)
    made: Replay = await call.services.consumers.replay(
        call.text_of("consumer"), after=body.after, until=body.until, reason=body.reason
    )
    return Answer(ReplayShape.model_validate(made), 201)


async def dead_letters(call: Call) -> Answer:
    """What a consumer could not handle."""
    query = call.read(Paging)
    letters = await call.services.consumers.dead_letters(
        call.text_of("consumer"), before=query.cursor, limit=query.limit
    )
    return Answer(
        DeadLetterPage(
            dead_letters=[_shape(letter) for letter in letters],
            next_cursor=letters[-1].letter_id if len(letters) == query.limit else None,
        )
    )


async def send_back(call: Call) -> Answer:
    """Have a consumer handle a dead letter again."""
    await call.services.consumers.send_back(call.text_of("consumer"), call.text_of("letter_id"))
    return Answer(status=204)


async def discard(call: Call) -> Answer:
    """Forget a dead letter."""
    await call.services.consumers.discard(call.text_of("consumer"), call.text_of("letter_id"))
    return Answer(status=204)


def _shape(letter: DeadLetter) -> DeadLetterShape:
    return DeadLetterShape(
        letter_id=letter.letter_id,
        entry_id=letter.entry_id,
        deliveries=letter.deliveries,
        reason=letter.reason,
        events=_events(letter.payload),
        set_aside_at=letter.set_aside_at,
    )


def _events(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode("utf-8", "replace")
