"""Cursors, replays and the log in a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from ledger.event_store.database import Database
from ledger.replays import CLAIM, InvalidReplay, ReplayStore

START = datetime.now(UTC).replace(microsecond=0)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def replays(pool: asyncpg.Pool, clock: Clock) -> ReplayStore:
    """A log of the batches 1 to 9, a second apart, without 4, and published up to 8."""
    await pool.executemany(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " VALUES ($1, 1, 1, $2, $3)",
        [(n, START + timedelta(seconds=n), f"[{n}]") for n in range(1, 10) if n != 4],
    )
    await pool.execute("UPDATE ledger.event_cursors SET sequence = 8 WHERE consumer = 'stream'")
    database = Database(pool, acquire_timeout_s=5, statement_timeout_s=5)
    return ReplayStore(database, clock=clock, new_id=uuid4)


async def test_a_cursor_never_goes_back(replays: ReplayStore) -> None:
    assert await replays.cursor("aml") is None
    for sequence, expected in ((5, 5), (3, 5), (7, 7)):
        await replays.move_cursor("aml", sequence)
        assert await replays.cursor("aml") == expected
    assert await replays.published() == 8


async def test_the_log_is_read_by_pages(replays: ReplayStore) -> None:
    page = await replays.batches(2, 8, 3)
    assert [(each.sequence, each.events) for each in page] == [
        (3, b"[3]"),
        (5, b"[5]"),
        (6, b"[6]"),
    ]
    assert [each.sequence for each in await replays.batches(6, 8, 9)] == [7, 8]
    assert await replays.batches(8, 8, 9) == []


async def test_a_moment_is_found_in_the_log(replays: ReplayStore) -> None:
    for seconds, place in ((-5, 0), (1, 0), (2, 1), (3.5, 4), (9, 8), (60, 9)):
        assert await replays.place(START + timedelta(seconds=seconds)) == place, seconds


async def test_an_equal_request_is_made_once_while_it_is_open(replays: ReplayStore) -> None:
    one = await replays.request("aml", after=2, until=6, reason="x")
    assert await replays.request("aml", after=2, until=6, reason="y") == one
    other = await replays.request("kafka", after=2, until=6, reason="x")
    assert other.replay_id != one.replay_id
    await replays.advance(one.replay_id, 6)
    again = await replays.request("aml", after=2, until=6, reason="z")
    assert again.replay_id != one.replay_id
    assert {each.reason for each in await replays.listed("aml", 9)} == {"x", "z"}


async def test_a_replay_ends_where_the_stream_does(replays: ReplayStore) -> None:
    assert (await replays.request("aml", after=0, until=None, reason="x")).until == 8
    assert (await replays.request("aml", after=1, until=99, reason="x")).until == 8
    for after, until in ((-1, None), (9, None), (5, 4)):
        with pytest.raises(InvalidReplay):
            await replays.request("aml", after=after, until=until, reason="x")


async def test_what_was_missed_is_made_up_for_beyond_the_publisher_s_cursor(
    replays: ReplayStore,
) -> None:
    made = await replays.make_up("aml", after=8, until=9, reason="x")
    assert (made.position, made.until) == (8, 9)
    assert await replays.make_up("aml", after=8, until=9, reason="y") == made


async def test_one_process_at_a_time_carries_it_out(replays: ReplayStore, clock: Clock) -> None:
    made = await replays.request("aml", after=0, until=8, reason="x")
    one, two = uuid4(), uuid4()
    taken = await replays.take("aml", one)
    assert taken == made
    assert await replays.take("aml", two) is None
    assert await replays.take("kafka", two) is None
    for position in (2, 5):  # who goes on with it keeps it, however long that takes
        clock.now += CLAIM - timedelta(seconds=1)
        await replays.advance(made.replay_id, position)
        assert await replays.take("aml", two) is None
    clock.now += CLAIM + timedelta(seconds=1)
    taken = await replays.take("aml", two)
    assert taken is not None
    assert taken.position == 5
    assert await replays.take("aml", one) is None
    await replays.advance(made.replay_id, 8)
    assert await replays.take("aml", two) is None
    [finished] = await replays.listed("aml", 9)
    assert finished.finished_at == clock.now


async def test_a_claim_of_a_clock_that_was_ahead_holds_nobody_up(
    replays: ReplayStore, clock: Clock
) -> None:
    await replays.request("aml", after=0, until=8, reason="x")
    clock.now += timedelta(days=365)
    assert await replays.take("aml", uuid4()) is not None
    clock.now = START
    heir = uuid4()
    assert await replays.take("aml", heir) is not None
    # Clocks of two nodes are apart by a little: that is no reason.
    clock.now -= CLAIM - timedelta(seconds=1)
    assert await replays.take("aml", uuid4()) is None


async def test_an_advance_never_goes_back(replays: ReplayStore) -> None:
    made = await replays.request("aml", after=0, until=8, reason="x")
    await replays.advance(made.replay_id, 5)
    await replays.advance(made.replay_id, 3)
    taken = await replays.take("aml", uuid4())
    assert taken is not None
    assert taken.position == 5


async def test_processes_that_ask_at_once_get_one_replay(replays: ReplayStore) -> None:
    made = await asyncio.gather(
        *(replays.request("aml", after=1, until=5, reason="x") for _ in range(5))
    )
    assert len({each.replay_id for each in made}) == 1
