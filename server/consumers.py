"""The consumers of the event stream as people look after them: cursors, replays, dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from redis.asyncio import Redis

from ledger.replays import Replay, ReplayStore
from server.bus import ConsumerGroupSource
from server.bus.complete import CompleteSource
from server.bus.dead_letters import DeadLetter, DeadLetters, is_letter_id, returned_key
from server.gateway.refusals import NotFound

AML, KAFKA = "aml", "kafka"
CONSUMERS = (AML, KAFKA)
RECENT_REPLAYS = 10
LETTERS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """How one consumer stands; sequences are of the ledger's log."""

    consumer: str
    finished: int | None
    """Up to where it has finished, as was written down last; None: it never ran."""
    published: int
    dead_letters: int
    replays: tuple[Replay, ...]
    """The latest ones."""


class EventConsumers:
    """Raises LedgerBusy, redis.RedisError, and NotFound for a consumer or letter that is none."""

    def __init__(self, replays: ReplayStore, redis: Redis) -> None:
        self._replays = replays
        self._letters = DeadLetters(redis)

    async def states(self) -> list[ConsumerState]:
        """Every consumer."""
        cursors = await self._replays.cursors()
        published = await self._replays.published()
        return [
            ConsumerState(
                consumer=consumer,
                finished=cursors.get(consumer),
                published=published,
                dead_letters=await self._letters.count(consumer),
                replays=tuple(await self._replays.listed(consumer, RECENT_REPLAYS)),
            )
            for consumer in CONSUMERS
        ]

    async def replay(self, consumer: str, *, after: int, until: int | None, reason: str) -> Replay:
        """Have the log behind `after` handed to it again. Raises InvalidReplay."""
        return await self._replays.request(
            _known(consumer), after=after, until=until, reason=reason
        )

    async def place(self, begin: int | datetime) -> int:
        """The place in the log to begin behind, so that nothing from `begin` on is left out."""
        return begin if isinstance(begin, int) else await self._replays.place(begin)

    async def dead_letters(
        self, consumer: str, *, before: str | None, limit: int
    ) -> list[DeadLetter]:
        """Newest first."""
        if before is not None and not is_letter_id(before):
            raise NotFound("The cursor is none. Begin without one.")
        return await self._letters.listed(_known(consumer), before=before, limit=limit)

    async def send_back(self, consumer: str, letter_id: str) -> None:
        """Have it handled again."""
        if not await self._letters.send_back(_known(consumer), letter_id):
            raise NotFound("There is no such dead letter; it may have been sent back already.")

    async def discard(self, consumer: str, letter_id: str) -> None:
        """Forget it."""
        if not await self._letters.discard(_known(consumer), letter_id):
            raise NotFound("There is no such dead letter; it may have been discarded already.")

    async def all_letters(self, consumer: str) -> list[DeadLetter]:
        """All there are, newest first."""
        letters: list[DeadLetter] = []
        before: str | None = None
        while page := await self.dead_letters(consumer, before=before, limit=LETTERS_AT_ONCE):
            letters += page
            before = page[-1].letter_id
        return letters


def event_source(
    redis: Redis, replays: ReplayStore, consumer: str, *, member: str, claim_idle_ms: int
) -> CompleteSource:
    """What a member of a consumer's group reads.

    `member` is unique to who reads at one time. Where all processes take the same name, and one at
    a time reads, what one leaves unfinished is what the next reads first.
    """
    stream = ConsumerGroupSource(
        redis, group=consumer, consumer=member, claim_idle_ms=claim_idle_ms
    )
    returned = ConsumerGroupSource(
        redis,
        group=consumer,
        consumer=member,
        claim_idle_ms=claim_idle_ms,
        key=returned_key(consumer),
        is_own=True,
    )
    return CompleteSource(
        stream,
        returned,
        replays,
        consumer=consumer,
        member=uuid5(NAMESPACE_URL, f"sociallive:{consumer}:{member}"),
    )


def _known(consumer: str) -> str:
    if consumer not in CONSUMERS:
        raise NotFound(f"There is no such consumer; there are {', '.join(CONSUMERS)}.")
    return consumer
