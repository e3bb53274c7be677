"""The outbox over a real log: order, gaps, failures, crashes, and publishers side by side."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from config.ledger import LedgerSettings, OutboxSettings
from ledger.events import batch_from_json
from ledger.grants import GrantRequest, grant_event, grant_posting
from ledger.outbox import Backoff, OutboxPublisher, Progress, SinkCutShort
from ledger.postings import to_document
from ledger.service import LedgerService
from ledger.store import LedgerStore

BEHIND_THE_CURSOR = """
SELECT count(*) FROM ledger.event_log
WHERE sequence > (SELECT sequence FROM ledger.event_cursors WHERE consumer = 'stream')
"""
POST = "SELECT result FROM ledger.post($1, $2, $3, $4)"


class Sink:
    """Keeps what is published; `faults` says what each call does instead."""

    def __init__(self):
        self.events = []
        self.batches = []
        self.faults = []
        self.changed = asyncio.Condition()

    async def publish(self, batches, after):
        events = [event for batch in batches for event in batch_from_json(batch.events)]
        sequences = [event.sequence for event in events]
        assert [after, *sequences] == sorted([after, *sequences])
        fault = self.faults.pop(0) if self.faults else None
        if fault == "cut short":
            raise SinkCutShort(self.events[0].sequence)
        if fault == "refuse":
            raise ConnectionError("refused")
        if fault == "hang":
            await asyncio.Event().wait()
        async with self.changed:
            self.events += events
            self.batches.append(len(events))
            self.changed.notify_all()
        if fault == "store, then crash":
            raise ConnectionError("crashed")

    async def holds(self, count):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.events) >= count)

    @property
    def reasons(self):
        return [event.data.reason for event in self.events]


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def publisher(store, sink):
    return OutboxPublisher(store, sink, OutboxSettings(turn_batches=3, poll_s=60))


def post(executor, reason):
    """Post a grant whose event carries `reason`."""
    request = GrantRequest(uuid4(), uuid4(), 5, reason, uuid4())
    document = to_document(grant_posting(request, "COIN"), grant_event(request, "COIN"))
    return executor.fetchval(POST, request.granted_by, request.request_id, b"h" * 32, [document])


async def post_all(pool, reasons):
    for reason in reasons:
        await post(pool, reason)


async def eventually(condition):
    """Let the other tasks run until it holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


@asynccontextmanager
async def running(publisher):
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_events_are_published_in_order_in_bounded_batches(pool, publisher, sink):
    await post_all(pool, "abcdefgh")
    progress = [await publisher.publish_once() for _ in range(3)]
    assert progress == [Progress.MORE, Progress.MORE, Progress.CAUGHT_UP]
    assert sink.reasons == list("abcdefgh")
    assert sink.batches == [3, 3, 2]
    assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.batches == [3, 3, 2]


async def test_a_gift_is_published_with_what_the_protocol_shows(
    ledger, publisher, sink, gift, fund
):
    request = gift(count=2)
    await fund(request.payer_id, 500)
    receipt = await ledger.send_gift(request)
    await publisher.publish_once()
    granted, sent = sink.events
    assert (granted.type, granted.data.balance_minor) == ("coins.granted", 500)
    assert (sent.type, sent.version) == ("gift.sent", 1)
    assert sent.occurred_at == receipt.posted_at
    assert sent.event_id.version == 7
    assert sent.data.transaction_id == receipt.transaction_id
    for name in ("request_id", "stream_id", "payer_id", "payer_name", "payee_id", "gift_id"):
        assert getattr(sent.data, name) == getattr(request, name)
    assert (sent.data.count, sent.data.total_minor, sent.data.fee_minor) == (2, 20, 6)
    assert (sent.data.payer_balance_minor, sent.data.payee_balance_minor) == (480, 14)


async def test_what_was_posted_first_but_commits_last_is_not_skipped(pool, publisher, sink):
    await post(pool, "a")
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await post(slow, "b")
        await post_all(pool, "cd")
        assert await publisher.publish_once() is Progress.GAP
        assert await publisher.publish_once() is Progress.GAP
        assert sink.reasons == ["a"]
        await transaction.commit()
    assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("abcd")


async def test_what_was_rolled_back_holds_nothing_up(pool, publisher, sink):
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await post(slow, "never")
        await post_all(pool, "ab")
        assert await publisher.publish_once() is Progress.GAP
        await transaction.rollback()
    assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("ab")


async def test_a_transaction_that_posts_nothing_holds_nothing_up(pool, publisher, sink):
    async with pool.acquire() as other, other.transaction():
        await other.fetchval("SELECT pg_current_xact_id()::text")
        await pool.fetchval("SELECT ledger.next_batch()")  # of a posting that was refused
        await post_all(pool, "ab")
        assert await publisher.publish_once() is Progress.GAP
        assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("ab")


async def test_committers_in_any_order_are_all_published_in_log_order(pool, publisher, sink):
    connections = [await pool.acquire() for _ in range(5)]
    for order in itertools.islice(itertools.permutations(range(5)), 0, None, 17):
        before = len(sink.events)
        transactions = [connection.transaction() for connection in connections]
        for number, (connection, transaction) in enumerate(
            zip(connections, transactions, strict=True)
        ):
            await transaction.start()
            await post(connection, str(number))
        for number in order:
            await (transactions[number].commit if number != 3 else transactions[3].rollback)()
            await publisher.publish_once()
        while await publisher.publish_once() is not Progress.CAUGHT_UP:
            pass
        assert sink.reasons[before:] == ["0", "1", "2", "4"]
    sequences = [event.sequence for event in sink.events]
    assert sequences == sorted(set(sequences))
    for connection in connections:
        await pool.release(connection)


async def test_a_refused_batch_is_published_by_the_next_turn(pool, publisher, sink):
    await post_all(pool, "abcd")
    sink.faults = ["refuse"]
    with pytest.raises(ConnectionError):
        await publisher.publish_once()
    assert publisher.figures.lag_batches == 4
    assert await publisher.publish_once() is Progress.MORE
    assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("abcd")


async def test_a_crash_before_the_cursor_is_stored_publishes_again(pool, store, sink):
    await post_all(pool, "abc")
    sink.faults = ["store, then crash"]
    settings = OutboxSettings(turn_batches=2)
    with pytest.raises(ConnectionError):
        await OutboxPublisher(store, sink, settings).publish_once()
    after_restart = OutboxPublisher(store, sink, settings)
    assert await after_restart.publish_once() is Progress.MORE
    assert await after_restart.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("ababc")
    assert [event.event_id for event in sink.events[:2]] == [
        event.event_id for event in sink.events[2:4]
    ]


async def test_a_sink_that_hangs_gives_up_its_turn(pool, store, sink):
    await post(pool, "a")
    sink.faults = ["hang"]
    stuck = OutboxPublisher(store, sink, OutboxSettings(publish_timeout_s=0.05))
    with pytest.raises(TimeoutError):
        await stuck.publish_once()
    assert await stuck.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == ["a"]


async def test_publishers_of_two_nodes_take_turns(pool, store, sink):
    settings = LedgerSettings(outbox=OutboxSettings(turn_batches=2, poll_s=0.01))
    publishers = [OutboxPublisher(store, sink, settings.outbox) for _ in range(3)]
    reasons = [str(number) for number in range(30)]
    async with running(publishers[0]), running(publishers[1]), running(publishers[2]):
        posting = asyncio.create_task(post_all(pool, reasons))
        await posting
        # A shift that is cut off before its cursor is written is rightly taken again: let it end.
        async with asyncio.timeout(10):
            while await pool.fetchval(BEHIND_THE_CURSOR):
                await asyncio.sleep(0.01)
    assert sink.reasons == reasons


async def test_a_commit_wakes_the_publisher(store, publisher, sink, recorder):
    ledger = LedgerService(
        LedgerSettings(), store, wake=publisher.wake, observer=recorder
    )  # polls once a minute: what arrives was woken for
    async with running(publisher):
        for number in range(3):
            await ledger.grant(
                request_id=uuid4(),
                user_id=uuid4(),
                amount_minor=1,
                reason=str(number),
                granted_by=uuid4(),
            )
            await sink.holds(number + 1)
    assert sink.reasons == ["0", "1", "2"]


class Shifts:
    """A log that counts its shifts."""

    def __init__(self, log):
        self._log = log
        self.count = 0

    def shift(self):
        self.count += 1
        return self._log.shift()


async def test_a_shift_goes_on_while_more_may_come(pool, store, sink, monkeypatch):
    monkeypatch.setattr("ledger.outbox.LINGER_S", 10)
    log = Shifts(store)
    publisher = OutboxPublisher(log, sink, OutboxSettings(poll_s=60))
    async with running(publisher):
        for number, reason in enumerate("abc", start=1):
            await post(pool, reason)
            publisher.wake()
            await sink.holds(number)
    assert log.count == 1


async def test_a_shift_ends_when_nothing_comes(pool, store, sink):
    await post(pool, "a")
    publisher = OutboxPublisher(store, sink, OutboxSettings(poll_s=60))
    async with running(publisher):
        await sink.holds(1)
        async with asyncio.timeout(10), store.shift() as next_:
            assert (await next_.read(1)).cursor > 0


@asynccontextmanager
async def busy(publisher):
    """It is woken all the time, so that its shift does not end by itself."""

    async def wake():
        while True:
            publisher.wake()
            await asyncio.sleep(0)

    task = asyncio.create_task(wake())
    try:
        yield
    finally:
        task.cancel()


async def test_a_busy_publisher_lets_others_have_their_shifts(pool, store, sink, monkeypatch):
    monkeypatch.setattr("ledger.outbox.LONGEST_SHIFT_S", 0.05)
    publisher = OutboxPublisher(store, sink, OutboxSettings(poll_s=60))
    await post(pool, "a")
    async with running(publisher), busy(publisher):
        await sink.holds(1)
        async with asyncio.timeout(10), store.shift() as of_another:
            await of_another.read(1)


async def test_a_busy_publisher_is_well_again_after_a_failure(pool, store, sink, monkeypatch):
    monkeypatch.setattr("ledger.outbox.LONGEST_SHIFT_S", 0.05)
    log = Shifts(store)
    publisher = OutboxPublisher(log, sink, OutboxSettings(longest_backoff_s=0.01))
    sink.faults = ["refuse"]
    await post(pool, "a")
    async with running(publisher), busy(publisher):
        await sink.holds(1)
        assert publisher.figures.failures == 1
        await eventually(lambda: publisher.figures.healthy)
    assert log.count == 2  # the second one went on


async def test_polling_finds_what_nobody_told_of(pool, store, sink):
    async with running(OutboxPublisher(store, sink, OutboxSettings(poll_s=0.01))):
        await post(pool, "a")
        await sink.holds(1)


async def test_a_gap_is_looked_at_again_without_being_told(pool, publisher, sink):
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await post(slow, "a")
        await post(pool, "b")
        async with running(publisher):
            await eventually(lambda: publisher.figures.lag_batches == 2)
            await transaction.commit()
            await sink.holds(2)
    assert sink.reasons == ["a", "b"]


async def test_failures_are_tried_again_and_show(pool, store, sink):
    publisher = OutboxPublisher(store, sink, OutboxSettings(longest_backoff_s=0.01))
    await post(pool, "a")
    sink.faults = ["refuse", "refuse", "store, then crash"]
    assert publisher.figures.healthy
    async with running(publisher):
        await sink.holds(2)
    assert sink.reasons == ["a", "a"]
    assert publisher.figures.failures == 3


async def test_a_database_that_goes_away_shows_and_is_survived(proxy, distant_pool, pool, sink):
    settings = LedgerSettings(outbox=OutboxSettings(longest_backoff_s=0.01, poll_s=0.01))
    publisher = OutboxPublisher(LedgerStore(distant_pool, settings), sink, settings.outbox)
    await post(pool, "a")
    async with running(publisher):
        await sink.holds(1)
        await proxy.refuse()
        await eventually(lambda: not publisher.figures.healthy)
        await proxy.accept()
        await post(pool, "b")
        await eventually(lambda: "b" in sink.reasons)
    assert list(dict.fromkeys(sink.reasons)) == ["a", "b"]  # "a" again where its cursor was cut off


async def test_the_figures(pool, publisher):
    await post_all(pool, "abcde")
    await publisher.publish_once()
    figures = publisher.figures
    assert (figures.published_events, figures.published_batches, figures.lag_batches) == (3, 3, 2)
    assert figures.lag_s > 0
    await publisher.publish_once()
    figures = publisher.figures
    assert (figures.published_events, figures.lag_batches, figures.lag_s) == (5, 0, 0.0)
    assert (figures.failures, figures.healthy) == (0, True)


def test_pauses_double_up_to_the_longest():
    backoff = Backoff(0.1, 0.5)
    assert [backoff.pause_s() for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    backoff.reset()
    assert backoff.pause_s() == 0.1
    assert Backoff(1.0, 0.5).pause_s() == 0.5


async def test_what_the_sink_has_lost_at_its_end_is_published_again(pool, publisher, sink):
    await post_all(pool, "abc")
    await publisher.publish_once()
    await post_all(pool, "d")
    sink.faults = ["cut short"]
    assert await publisher.publish_once() is Progress.MORE
    assert sink.reasons == list("abc")
    assert await publisher.publish_once() is Progress.CAUGHT_UP
    assert sink.reasons == list("abcbcd")
