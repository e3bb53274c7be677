"""The worker over a real Redis stream and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import orjson
import pytest
from redis.asyncio import Redis

from compliance.aml.store import AmlStore
from compliance.aml.worker import AmlWorker
from config.aml import AmlSettings
from ledger.events import batch_to_json
from server.bus import STREAM_KEY, ConsumerGroupSource, GroupLag, LedgerEventStream
from server.database import create_pool
from tests.support.gifts import START, account, batch, gift, grant_event, log_batch
from tests.support.line import Line

LIMITS = AmlSettings(velocity_max_gifts=5, max_deliveries=3, block_ms=1, batch_entries=10)
IDLE = GroupLag(unread=0, unfinished=0, lost=0)


@dataclass
class Stage:
    """One stream and what reads it; every member claims at once what another left."""

    redis: Redis
    store: AmlStore
    pool: asyncpg.Pool
    clock: object

    def source(self, name: str = "one") -> ConsumerGroupSource:
        return ConsumerGroupSource(self.redis, group="aml", consumer=name, claim_idle_ms=0)

    def worker(self, name: str = "one", source=None) -> AmlWorker:
        return AmlWorker(source or self.source(name), self.store, LIMITS, clock=self.clock)

    async def publish(self, *payloads: bytes) -> None:
        stream = LedgerEventStream(self.redis)
        for payload in payloads:
            await stream.publish([log_batch(payload)], 0)

    async def gifts(self) -> int:
        return await self.pool.fetchval("SELECT count(*) FROM compliance.aml_activity")

    async def dead_letters(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in await self.redis.xrange(f"{STREAM_KEY}:dead:aml")]


@pytest.fixture
def stage(redis: Redis, store: AmlStore, pool: asyncpg.Pool, clock) -> Stage:
    return Stage(redis, store, pool, clock)


class CrashBeforeAck(ConsumerGroupSource):
    """The process dies between what it did and saying so."""

    async def ack(self, entry_ids) -> None:
        raise ConnectionAbortedError


def burst(count: int, start: int = 0) -> list:
    return [gift(start + each / 10) for each in range(count)]


async def test_a_burst_on_the_stream_becomes_an_alert(stage: Stage) -> None:
    gifts = burst(6)
    await stage.publish(batch(*gifts[:2]), batch(*gifts[2:]))
    worker = stage.worker()
    stage.clock.advance(1)
    await worker.step()
    [alert] = await stage.store.alerts(None, None, 10)
    assert alert.event_ids == tuple(each.event_id for each in gifts)
    assert (worker.figures.events_seen, worker.figures.alerts_raised) == (6, 1)
    assert worker.figures.last_event_lag_s == pytest.approx(0.5)
    assert await stage.source().lag() == IDLE


async def test_more_gifts_than_fit_go_through_in_portions(stage: Stage) -> None:
    await stage.publish(batch(*burst(6)), batch(*burst(5, 1)))
    settings = LIMITS.model_copy(update={"batch_gifts": 3})
    worker = AmlWorker(stage.source(), stage.store, settings, clock=stage.clock)
    await worker.step()
    assert (await stage.gifts(), worker.figures.alerts_raised) == (11, 1)
    [alert] = await stage.store.alerts(None, None, 10)
    assert alert.reasons[0].figures["gifts"] == 11
    assert worker.figures.alerts_extended >= 1


async def test_other_events_are_seen_and_done_with(stage: Stage) -> None:
    await stage.publish(batch_to_json([grant_event(), grant_event()]), b"[]")
    worker = stage.worker()
    await worker.step()
    assert (worker.figures.events_seen, await stage.gifts()) == (2, 0)
    assert await stage.source().lag() == IDLE


async def test_an_event_published_twice_has_effect_once(stage: Stage) -> None:
    payload = batch(*burst(4))
    await stage.publish(payload, payload)
    worker = stage.worker()
    await worker.step()
    await stage.publish(payload)
    await worker.step()
    assert (worker.figures.duplicates, await stage.gifts()) == (8, 4)
    assert await stage.store.alerts(None, None, 10) == []


async def test_a_crash_between_effect_and_ack_has_effect_once(stage: Stage) -> None:
    await stage.publish(batch(*burst(6)))
    crashing = CrashBeforeAck(stage.redis, group="aml", consumer="dead", claim_idle_ms=0)
    with pytest.raises(ConnectionAbortedError):
        await stage.worker(source=crashing).step()
    [alert] = await stage.store.alerts(None, None, 10)
    heir = stage.worker("heir")
    await heir.step()
    assert (heir.figures.duplicates, heir.figures.alerts_raised) == (6, 0)
    assert await stage.store.alerts(None, None, 10) == [alert]
    assert await stage.source().lag() == IDLE


async def test_what_a_dead_consumer_took_is_finished_by_another(stage: Stage) -> None:
    await stage.publish(batch(*burst(3)), batch(*burst(3, 1)))
    await stage.source("dead").read(max_entries=1, block_ms=1)
    heir = stage.worker("heir")
    await heir.step()
    await heir.step()
    assert await stage.gifts() == 6
    assert len(await stage.store.alerts(None, None, 10)) == 1
    assert await stage.source().lag() == IDLE


@pytest.mark.parametrize("payload", [b"nonsense", b"{}", b"[1]", b'[{"type":"gift.sent"}]'])
async def test_what_cannot_be_read_is_set_aside_after_its_tries(
    stage: Stage, payload: bytes
) -> None:
    await stage.publish(payload, batch(gift()))
    worker = stage.worker()
    for _ in range(LIMITS.max_deliveries - 1):
        await worker.step()
        assert await stage.dead_letters() == []
    assert await stage.gifts() == 1
    await worker.step()
    [letter] = await stage.dead_letters()
    assert (letter[b"events"], letter[b"deliveries"]) == (payload, b"3")
    assert letter[b"reason"]
    assert (worker.figures.dead_letters, worker.figures.retries) == (1, 2)
    assert await stage.source().lag() == IDLE


async def test_a_gift_that_cannot_be_stored_holds_up_no_other(stage: Stage) -> None:
    bad, huge, good = gift(amount=-5), gift(amount=2**64 - 1), burst(9)
    await stage.publish(batch(*good[:3], bad, *good[3:5]), batch(*good[5:]), batch(huge))
    worker = stage.worker()
    await worker.step()
    assert await stage.gifts() == 9
    assert worker.figures.alerts_raised == 1
    for _ in range(LIMITS.max_deliveries - 1):
        await worker.step()
    letters = await stage.dead_letters()
    reasons = sorted(letter[b"reason"].decode() for letter in letters)
    assert len(letters) == 2
    assert any(str(bad.event_id) in reason and "amount_minor" in reason for reason in reasons)
    assert any(str(huge.event_id) in reason for reason in reasons)
    assert await stage.gifts() == 9
    assert await stage.source().lag() == IDLE


async def test_a_gift_older_than_what_is_remembered_is_set_aside(stage: Stage) -> None:
    await stage.publish(batch(gift(), gift(-LIMITS.retention_s - 1)))
    worker = stage.worker()
    for _ in range(LIMITS.max_deliveries):
        await worker.step()
    [letter] = await stage.dead_letters()
    assert b"occurred before" in letter[b"reason"]
    assert await stage.gifts() == 1


async def test_an_entry_whose_every_try_died_is_not_tried_again(stage: Stage) -> None:
    await stage.publish(batch(gift()))
    for name in ("a", "b", "c"):
        assert await stage.source(name).read(max_entries=1, block_ms=1)
    worker = stage.worker()
    await worker.step()
    [letter] = await stage.dead_letters()
    assert letter[b"reason"] == b"handed out 3 times, and never answered"
    assert await stage.gifts() == 0


async def test_a_dead_letter_can_be_published_again_once_mended(stage: Stage) -> None:
    good = gift()
    values = orjson.loads(batch(good, gift()))
    values[1]["data"]["payer_id"] = "nobody"
    await stage.publish(orjson.dumps(values))
    worker = stage.worker()
    for _ in range(LIMITS.max_deliveries):
        await worker.step()
    [letter] = await stage.dead_letters()
    values = orjson.loads(letter[b"events"])
    values[1]["data"]["payer_id"] = str(account(3))
    await stage.publish(orjson.dumps(values))
    await worker.step()
    assert (await stage.gifts(), worker.figures.duplicates) == (2, 3)


@pytest.fixture
async def far_store(database_url: str) -> AsyncIterator[tuple[Line, AmlStore]]:
    async with Line(database_url) as line:
        pool = await create_pool(line.url)
        yield line, AmlStore(pool)
        pool.terminate()


async def test_while_postgresql_is_away_gifts_wait_and_no_try_is_spent(
    stage: Stage, far_store: tuple[Line, AmlStore]
) -> None:
    line, store = far_store
    worker = AmlWorker(stage.source(), store, LIMITS, clock=stage.clock)
    await stage.publish(batch(*burst(6)))
    await line.cut()
    waiting = asyncio.create_task(worker.step())
    while worker.figures.retries < LIMITS.max_deliveries + 1:
        await asyncio.sleep(0.01)
    await line.mend()
    await waiting
    assert (await stage.gifts(), worker.figures.dead_letters) == (6, 0)
    assert len(await stage.store.alerts(None, None, 10)) == 1
    assert await stage.source().lag() == IDLE


async def test_old_gifts_are_removed_while_it_runs(stage: Stage) -> None:
    await stage.publish(batch(gift(), gift(86_400 * 29)))
    running = asyncio.create_task(stage.worker().run())
    while await stage.gifts() < 2:
        await asyncio.sleep(0)
    stage.clock.advance(LIMITS.retention_s + 1)
    while await stage.gifts() > 1:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    [left] = await stage.pool.fetch("SELECT occurred_at FROM compliance.aml_activity")
    assert left["occurred_at"] == START + timedelta(days=29)


async def test_two_workers_share_the_stream_and_miss_nothing(stage: Stage) -> None:
    payloads = [batch(gift(at / 1_000, payer=1 + at % 7)) for at in range(70)]
    await stage.publish(*payloads)
    workers = [stage.worker(name) for name in ("one", "two")]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    while await stage.source("probe").lag() != IDLE:
        await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    alerts = await stage.store.alerts(None, None, 20)
    assert {alert.user_id for alert in alerts} == {account(each) for each in range(1, 8)}
    assert {alert.reasons[0].figures["gifts"] for alert in alerts} == {10}
    assert await stage.gifts() == 70
