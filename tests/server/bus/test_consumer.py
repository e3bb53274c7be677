"""The consumer group on a real Redis: new entries, stuck ones, dead letters, lost ones."""

import asyncio

import pytest
from redis.asyncio import Redis

from compliance.aml.intake import Entry
from server.bus import STREAM_KEY, ConsumerGroupSource, GroupLag, LedgerEventStream
from server.bus import consumer as module
from tests.support.gifts import log_batch


def source(redis: Redis, consumer: str = "a", *, claim_idle_ms: int = 60_000):
    return ConsumerGroupSource(redis, group="aml", consumer=consumer, claim_idle_ms=claim_idle_ms)


async def read(source: ConsumerGroupSource, most: int = 10) -> list[Entry]:
    return await source.read(max_entries=most, block_ms=1)


async def publish(redis: Redis, *payloads: bytes) -> None:
    stream = LedgerEventStream(redis)
    for sequence, payload in enumerate(payloads):
        await stream.publish([log_batch(payload, sequence)], sequence - 1)


async def test_a_group_sees_what_was_written_before_it(redis: Redis) -> None:
    await publish(redis, b"[1]", b"[2]")
    entries = await read(source(redis))
    assert [(entry.payload, entry.deliveries) for entry in entries] == [(b"[1]", 1), (b"[2]", 1)]


async def test_a_read_waits_for_what_comes(redis: Redis) -> None:
    reading = source(redis)
    assert await read(reading) == []
    waiting = asyncio.create_task(reading.read(max_entries=10, block_ms=4_000))
    while not (await redis.info("clients"))["blocked_clients"]:
        await asyncio.sleep(0)
    await publish(redis, b"[1]")
    assert [entry.payload for entry in await waiting] == [b"[1]"]


async def test_each_entry_goes_to_one_consumer(redis: Redis) -> None:
    await publish(redis, b"[1]", b"[2]", b"[3]")
    one, two = source(redis, "a"), source(redis, "b")
    payloads = [entry.payload for each in (one, two, one) for entry in await read(each, 1)]
    assert payloads == [b"[1]", b"[2]", b"[3]"]


async def test_stuck_entries_of_a_dead_consumer_are_claimed_and_counted(redis: Redis) -> None:
    await publish(redis, b"[1]", b"[2]")
    dead = source(redis, "dead")
    finished, _ = await read(dead)
    await dead.ack([finished.entry_id])
    heir = source(redis, "heir", claim_idle_ms=0)
    assert [(each.payload, each.deliveries) for each in await read(heir)] == [(b"[2]", 2)]
    assert [(each.payload, each.deliveries) for each in await read(heir)] == [(b"[2]", 3)]


async def test_an_entry_in_work_is_not_claimed(redis: Redis) -> None:
    await publish(redis, b"[1]")
    await read(source(redis, "a"))
    assert await read(source(redis, "b", claim_idle_ms=60_000)) == []


async def test_more_stuck_entries_than_fit_come_page_by_page(redis: Redis) -> None:
    await publish(redis, *(b"[%d]" % number for number in range(25)))
    stuck = [entry.entry_id for entry in await read(source(redis, "dead"), 25)]
    await redis.xclaim(STREAM_KEY, "aml", "dead", 0, stuck, idle=120_000)
    heir = source(redis, "heir", claim_idle_ms=60_000)
    pages = [await read(heir, 10) for _ in range(3)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [entry.entry_id for page in pages for entry in page] == stuck


async def test_a_reader_in_order_passes_over_nothing_that_is_not_acknowledged(redis: Redis) -> None:
    await publish(redis, *(b"[%d]" % number for number in range(8)))
    await read(source(redis, "a", claim_idle_ms=0), 6)
    heir = source(redis, "a", claim_idle_ms=0)
    for _ in range(3):  # the first two were refused: they come again, and nothing behind them
        page = await read(heir, 2)
        assert [entry.payload for entry in page] == [b"[0]", b"[1]"]
    await heir.ack([entry.entry_id for entry in page])
    assert [entry.payload for entry in await read(heir, 2)] == [b"[2]", b"[3]"]


async def test_a_reader_in_order_reads_nothing_new_before_what_is_behind_lost_entries(
    redis: Redis,
) -> None:
    await publish(redis, *(b"[%d]" % number for number in range(8)))
    reading = source(redis, claim_idle_ms=0)
    await read(reading, 6)
    await redis.xtrim(STREAM_KEY, maxlen=3, approximate=False)
    assert [entry.payload for entry in await read(reading, 2)] == [b"[5]"]
    assert reading.lost_entries == 5


async def test_an_acknowledged_entry_does_not_come_back(redis: Redis) -> None:
    await publish(redis, b"[1]")
    reading = source(redis, claim_idle_ms=0)
    [entry] = await read(reading)
    await reading.ack([entry.entry_id])
    await reading.ack([])
    assert await read(reading) == []
    assert await reading.lag() == GroupLag(unread=0, unfinished=0, lost=0)


@pytest.mark.parametrize("is_own", [True, False])
async def test_what_is_done_with_leaves_a_stream_of_the_group_s_own(
    redis: Redis, is_own: bool
) -> None:
    await publish(redis, b"[1]", b"[2]", b"[3]", b"[4]")
    reading = ConsumerGroupSource(
        redis, group="aml", consumer="a", claim_idle_ms=60_000, is_own=is_own
    )
    one, two, three = await read(reading, 3)
    await reading.ack([one.entry_id, two.entry_id])
    await reading.dead_letter(three, "poison")
    left = [fields[b"events"] for _, fields in await redis.xrange(STREAM_KEY)]
    assert left == ([b"[4]"] if is_own else [b"[1]", b"[2]", b"[3]", b"[4]"])
    assert [entry.payload for entry in await read(reading)] == [b"[4]"]
    assert await reading.lag() == GroupLag(unread=0, unfinished=1, lost=0)


async def test_a_dead_letter_keeps_the_entry_and_says_why(redis: Redis) -> None:
    await publish(redis, b"nonsense")
    reading = source(redis, claim_idle_ms=0)
    [entry] = await read(reading)
    await reading.dead_letter(entry, "not JSON")
    [(_, fields)] = await redis.xrange(reading.dead_letter_key)
    assert reading.dead_letter_key == f"{STREAM_KEY}:dead:aml"
    assert fields == {
        b"events": b"nonsense",
        b"entry_id": entry.entry_id.encode(),
        b"deliveries": b"1",
        b"reason": b"not JSON",
    }
    assert await read(reading) == []


async def test_dead_letters_are_bounded(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEAD_LETTERS", 100)
    reading = source(redis)
    for number in range(250):
        await reading.dead_letter(Entry(f"{number}-0", b"", 1), "bad")
    assert 100 <= await redis.xlen(reading.dead_letter_key) <= 200


async def test_dead_letters_are_bounded_in_memory(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAD_LETTER_BYTES", most := 2**20)
    reading = source(redis)
    for number in range(40):
        payload = b"x" * (100 if number < 20 else 200_000)
        await reading.copy_to_dead_letters(Entry(f"log:{number}", payload, 1), "bad")
        taken = await redis.memory_usage(reading.dead_letter_key, samples=0)
        assert taken is not None
        assert taken <= most or number < 30
    [*_, (_, newest)] = letters = await redis.xrange(reading.dead_letter_key)
    assert newest[b"entry_id"] == b"log:39"
    assert len(letters) >= 3


async def test_lag_counts_unread_unfinished_and_lost(redis: Redis) -> None:
    reading = source(redis)
    assert await reading.lag() == GroupLag(unread=0, unfinished=0, lost=0)
    await publish(redis, *(b"[%d]" % number for number in range(10)))
    await read(reading, 3)
    assert await reading.lag() == GroupLag(unread=7, unfinished=3, lost=0)
    await redis.xtrim(STREAM_KEY, maxlen=4, approximate=False)
    assert await reading.lag() == GroupLag(unread=7, unfinished=3, lost=3)


async def test_entries_that_left_the_stream_unfinished_are_counted(redis: Redis) -> None:
    await publish(redis, b"[1]", b"[2]")
    await read(source(redis, "dead"))
    await redis.xtrim(STREAM_KEY, maxlen=1, approximate=False)
    heir = source(redis, "heir", claim_idle_ms=0)
    assert [entry.payload for entry in await read(heir)] == [b"[2]"]
    assert heir.lost_entries == 1


async def test_consumers_that_are_gone_are_forgotten_but_never_with_open_entries(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GONE_CONSUMER_MS", 0)
    await publish(redis, b"[1]", b"[2]")
    holding, idle = source(redis, "holding"), source(redis, "idle")
    await read(holding, 1)
    [entry] = await read(idle, 1)
    await idle.ack([entry.entry_id])
    await read(source(redis, "new"))
    names = {each["name"] for each in await redis.xinfo_consumers(STREAM_KEY, "aml")}
    assert b"holding" in names
    assert b"idle" not in names


async def test_a_group_that_was_wiped_is_made_again(redis: Redis) -> None:
    reading = source(redis)
    await read(reading)
    await redis.flushall()
    await publish(redis, b"[1]")
    assert [entry.payload for entry in await read(reading)] == [b"[1]"]


async def test_a_reader_outlasts_a_redis_that_goes_away(line, far_redis: Redis, redis) -> None:
    reading = source(far_redis)
    await read(reading)
    await line.cut()
    waiting = asyncio.create_task(reading.read(max_entries=10, block_ms=1_000))
    await publish(redis, b"[1]")
    await line.mend()
    assert [entry.payload for entry in await waiting] == [b"[1]"]
