"""A standby that lacks the end of the log is promoted: its numbers are drawn once more."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from config.ledger import EvidenceSettings, OutboxSettings
from ledger.evidence.chainer import Chainer, Head, Unchained
from ledger.outbox import LogBatch, LogPage, OutboxPublisher

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CURSOR, LAST = 98, 100


class Failing:
    """A log in which 99 was rolled back; whose database fails as 100 is handed over, and is another
    one from then on, in which 99 is on its way: its transaction goes on for the whole test."""

    def __init__(self):
        self.oldest_running = 500
        self.is_other = False
        self.passed_over = False
        self.looks = 0
        self.done = asyncio.Event()

    @asynccontextmanager
    async def shift(self):
        yield self

    turn = shift

    def look(self):
        self.looks += self.is_other
        if self.looks == 3:
            self.done.set()
        self.oldest_running = 400 if self.is_other else self.oldest_running + 1

    def hand_over(self):
        if self.is_other:
            self.passed_over = True
            self.done.set()
        self.is_other = True
        raise ConnectionError("cut")

    # ---- for the publisher ----

    async def read(self, limit):
        self.look()
        batch = LogBatch(LAST, 1, NOW, b"[]")
        return LogPage(
            CURSOR, LAST, self.oldest_running, self.oldest_running + 1, NOW, batches=(batch,)
        )

    async def is_wanted(self):
        return False

    async def publish(self, batches, after):
        self.hand_over()

    # ---- for the chainer ----

    async def head(self):
        return Head(1, CURSOR, b"h" * 32)

    async def seal_accounts(self, position, limit):
        return []

    seal_references = seal_requests = seal_accounts

    async def requests_portion(self, until, events):
        return until, until

    async def unchained(self, after, limit):
        self.look()
        return Unchained(self.oldest_running, (LAST,), (1,), NOW)

    async def next_transaction(self):
        return self.oldest_running + 1

    async def streams(self, after, until):
        self.hand_over()


async def passes_over(log, work):
    task = asyncio.create_task(work())
    async with asyncio.timeout(10):
        await log.done.wait()
    task.cancel()
    await asyncio.wait([task])
    return log.passed_over


async def test_the_publisher_waits_for_a_number_that_is_drawn_again():
    log = Failing()
    publisher = OutboxPublisher(log, log, OutboxSettings(longest_backoff_s=0.01))
    assert not await passes_over(log, publisher.run)
    assert log.is_other


async def test_the_chainer_waits_for_a_number_that_is_drawn_again():
    log = Failing()
    settings = EvidenceSettings(chain_every_s=0.001)
    chainer = Chainer(log, settings, clock=lambda: NOW)
    assert not await passes_over(log, chainer.run)
    assert log.is_other
