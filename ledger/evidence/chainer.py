"""The chainer: links what was committed to the chain, soon after and off the hot path.

Chainers of all nodes take turns under one lock, and one that finds it taken leaves the work to the
other. A turn links what stands behind the end of the chain in one transaction, so it can be stopped
anywhere and goes on there. Batches are linked in order of their sequences: as with publishing,
those behind a gap wait until it is known that nothing will fill it (ledger/gaps.py). Behind the
batches of a turn stands a link of their requests.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import accumulate
from typing import Protocol

from config.ledger import EvidenceSettings
from ledger.evidence.batches import Streams, assemble
from ledger.evidence.links import ChainBuilder, Link
from ledger.evidence.requests import PostedRows, Requests
from ledger.gaps import Gaps

log = logging.getLogger(__name__)

GAP_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain; `sequence` is that of the last batch that is linked."""

    position: int
    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Unchained:
    """Batches behind the end; `oldest_running` was read before they were."""

    oldest_running: int
    sequences: tuple[int, ...]
    event_counts: tuple[int, ...]
    first_posted_at: datetime | None


class Turn(Protocol):
    """The end of the chain, while its lock is held."""

    async def head(self) -> Head:
        """Where the chain ends."""

    async def unchained(self, after: int, limit: int) -> Unchained:
        """The first batches behind `after`."""

    async def next_transaction(self) -> int:
        """The id of a transaction that begins now."""

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""

    async def seal_accounts(self, position: int, limit: int) -> list[memoryview]:
        """Seal accounts that wait for it under the link at `position`; their encoded seals."""

    async def seal_references(self, position: int, limit: int) -> list[memoryview]:
        """Seal references that wait for it under the link at `position`; encoded."""

    async def requests_portion(self, until: int, events: int) -> tuple[int, int]:
        """Batches up to `until` whose requests are not linked, the first that have about so many
        `events`: they are in (after, until].
        """

    async def posted_requests(self, after: int, until: int) -> memoryview:
        """The encoded requests of the batches with sequences in (after, until]."""

    async def seal_requests(self, position: int, limit: int) -> list[memoryview]:
        """Seal requests that posted nothing and wait for it under the link at `position`."""

    async def append(self, links: Sequence[Link]) -> None:
        """Add links at the end."""


class Chain(Protocol):
    """Where the chain is kept."""

    def turn(self) -> AbstractAsyncContextManager[Turn | None]:
        """The end of the chain for one chainer at a time; None while another one has it."""


class Progress(Enum):
    """What is left after a turn."""

    CAUGHT_UP = "caught up"
    MORE = "more"
    GAP = "gap"
    ELSEWHERE = "elsewhere"
    """Another chainer is at it."""


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """How chaining goes: `lag_s` is the age of the oldest batch that was found unlinked."""

    links: int
    failures: int
    lag_s: float


class Chainer:
    """Keeps the chain at most a moment behind the log, while `run` runs."""

    def __init__(
        self, chain: Chain, settings: EvidenceSettings, *, clock: Callable[[], datetime]
    ) -> None:
        self._chain = chain
        self._settings = settings
        self._clock = clock
        self._gaps = Gaps()
        self._links = self._failures = 0
        self._lag_s = 0.0

    @property
    def figures(self) -> ChainFigures:
        return ChainFigures(self._links, self._failures, self._lag_s)

    async def run(self) -> None:
        """Link until cancelled; failures are logged and tried again."""
        while True:
            try:
                progress = await self.chain_once()
            except Exception as error:  # whatever the store raises
                self._failures += 1
                self._gaps = Gaps()  # the next turn may be another database's: a standby's
                log.warning("batches could not be chained", extra={"error": repr(error)})
                progress = Progress.ELSEWHERE
            if progress is Progress.GAP:
                await asyncio.sleep(GAP_PAUSE_S)
            elif progress is not Progress.MORE:
                await asyncio.sleep(self._settings.chain_every_s)

    async def catch_up(self) -> None:
        """Link everything that is there now. Raises what the store raises."""
        while True:
            progress = await self.chain_once()
            if progress is Progress.GAP:
                await asyncio.sleep(GAP_PAUSE_S)
            elif progress is not Progress.MORE:
                return

    async def chain_once(self) -> Progress:
        """One turn. Raises what the store raises."""
        limit = self._settings.batch_events
        async with self._chain.turn() as turn:
            if turn is None:
                return Progress.ELSEWHERE
            head = await turn.head()
            builder = ChainBuilder(head.position, head.sequence, head.hash)
            seals = await turn.seal_accounts(head.position + 1, limit)
            links = [builder.add_seals(seals)] if seals else []
            references = await turn.seal_references(builder.position + 1, limit)
            links += [builder.add_references(references)] if references else []
            page = await turn.unchained(head.sequence, limit)
            self._look(page)
            settled = self._gaps.ready(head.sequence, page.sequences, page.oldest_running)
            if settled < len(page.sequences) and not self._gaps.watched:
                self._gaps.watch(page.sequences[-1], await turn.next_transaction())
            ready = _affordable(page.event_counts[:settled], limit)
            if ready:
                streams = await turn.streams(head.sequence, page.sequences[ready - 1])
                links += await asyncio.to_thread(_link_all, builder, streams)
            requests, behind = await _link_requests(turn, builder, limit)
            links += requests
            if links:
                await turn.append(links)
        self._links += len(links)
        if behind or ready < settled or limit in (settled, len(seals), len(references)):
            return Progress.MORE
        if settled < len(page.sequences):
            return Progress.GAP
        self._lag_s = 0.0
        return Progress.CAUGHT_UP

    def _look(self, page: Unchained) -> None:
        if page.first_posted_at is not None:
            self._lag_s = max(0.0, (self._clock() - page.first_posted_at).total_seconds())


def _link_all(builder: ChainBuilder, streams: Streams) -> list[Link]:
    return [builder.add_batch(batch) for batch in assemble(streams)]


async def _link_requests(turn: Turn, builder: ChainBuilder, limit: int) -> tuple[list[Link], bool]:
    """The link of requests behind the one before, where there is something to link, and whether
    some are left. Usually they are those of the batches of this turn; a ledger that is older than
    such links has more, which are worked off portion by portion.
    """
    after, until = await turn.requests_portion(builder.sequence, limit)
    unposted = await turn.seal_requests(builder.position + 1, limit)
    if until == after and not unposted:
        return [], False
    posted = await turn.posted_requests(after, until)
    link = await asyncio.to_thread(_link_rows, builder, until, posted, unposted)
    return [link], after < until < builder.sequence or len(unposted) == limit


def _link_rows(
    builder: ChainBuilder, until: int, posted: memoryview, unposted: list[memoryview]
) -> Link:
    return builder.add_requests(until, Requests(PostedRows.of(posted), unposted))


def _affordable(event_counts: Sequence[int], budget: int) -> int:
    """How many batches have no more events than `budget` together; at least one of any."""
    within = sum(total <= budget for total in accumulate(event_counts))
    return max(within, min(1, len(event_counts)))
