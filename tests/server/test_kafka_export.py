"""The export against a real broker and a real Redis: complete, and in order for each key."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
)
from redis.asyncio import Redis

from config.kafka import KafkaSettings
from ledger.event_store.database import Database
from ledger.events import batch_to_json
from ledger.replays import ReplayStore
from server.background import background
from server.bus import STREAM_KEY, ConsumerGroupSource, LedgerEventStream
from server.consumers import KAFKA, EventConsumers, event_source
from server.kafka_export import KafkaExport, KafkaProducer
from server.kafka_records import records_of
from server.lease import Lease
from tests.support.fault_proxy import FaultProxy
from tests.support.gifts import gift, gift_event, log_batch
from tests.support.kafka import Broker
from tests.support.kafka_producers import Answers, Refusing, number_of
from tests.support.line import Line

TOPIC = "sociallive.ledger.events"
PAYERS = 7
PATIENCE_S = 60


class Published:
    """Gifts in the Redis stream, each payer's numbered."""

    def __init__(self, redis: Redis) -> None:
        self._stream = LedgerEventStream(redis)
        self.events = 0

    async def add(self, entries: int, events_each: int = 5) -> None:
        for _ in range(entries):
            batch = []
            for _ in range(events_each):
                self.events += 1
                payer = self.events % PAYERS
                batch.append(gift_event(gift(payer=payer, number=self.events)))
            await self._stream.publish([log_batch(batch_to_json(batch), self.events)], 0)


def export(redis: Redis, settings: KafkaSettings, producer=None, lease_s: float = 15):
    source = ConsumerGroupSource(redis, group="kafka", consumer="kafka", claim_idle_ms=0)
    lease = Lease(redis, "kafka-export", lease_s)
    return KafkaExport(source, lease, settings, producer or partial(KafkaProducer, settings))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path / "kafka")
    await broker.start()
    await broker.create_topic(TOPIC, partitions=3)
    yield broker
    await broker.stop(signal.SIGKILL)


def bootstrap(way: FaultProxy) -> str:
    return f"127.0.0.1:{way.port}"


async def until(condition) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


async def finished(redis: Redis) -> bool:
    groups = await redis.xinfo_groups(STREAM_KEY)
    return bool(groups) and not groups[0]["pending"] and groups[0]["lag"] == 0


async def acknowledged(redis: Redis) -> int:
    """How many entries the export is done with."""
    [group] = await redis.xinfo_groups(STREAM_KEY)
    return group["entries-read"] - group["pending"]


async def until_finished(redis: Redis) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await finished(redis):
            await asyncio.sleep(0.02)


async def check(broker: Broker, published: Published) -> int:
    """Every event is there, and each key's first ones are in the order of the log; the repeats."""
    records = await broker.records(TOPIC)
    numbers: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        number = UUID(dict(record.headers)["event_id"].decode()).int
        assert UUID(record.key.decode()).int == number % PAYERS
        assert orjson.loads(record.value)["event_id"] == str(UUID(int=number))
        if number not in numbers[record.key]:
            numbers[record.key].append(number)
    assert sum(map(len, numbers.values())) == published.events
    for in_order in numbers.values():
        assert in_order == sorted(in_order)
    return len(records) - published.events


async def test_events_arrive_in_order_for_each_account(redis: Redis, broker: Broker) -> None:
    published = Published(redis)
    await published.add(40)
    exporting = export(redis, KafkaSettings(bootstrap=broker.bootstrap))
    async with background("export", exporting.run):
        await until_finished(redis)
        await published.add(10)
        await until(lambda: exporting.figures.entries == 50)
    assert await check(broker, published) == 0
    assert await finished(redis)
    assert exporting.figures.events == published.events
    assert not exporting.figures.exporting


@pytest.mark.parametrize("fault", ["cut", "freeze"])
async def test_a_broker_that_is_out_of_reach_in_the_middle(
    redis: Redis, broker: Broker, fault: str
) -> None:
    published = Published(redis)
    async with broker.way() as way:
        settings = KafkaSettings(bootstrap=bootstrap(way), request_timeout_s=0.5)
        exporting = export(redis, settings, lease_s=6)
        async with background("export", exporting.run):
            await published.add(60)
            await until(lambda: exporting.figures.entries >= 8)
            if fault == "cut":
                await way.cut()
            else:
                way.freeze()
            await published.add(60)
            await until(lambda: exporting.figures.waiting)
            assert len(await broker.records(TOPIC)) >= 5 * await acknowledged(redis) > 0
            await way.mend()
            await until_finished(redis)
    assert await check(broker, published) == 0


async def test_records_whose_answers_are_lost_are_not_repeated(
    redis: Redis, broker: Broker
) -> None:
    published = Published(redis)
    async with broker.way() as way:
        exporting = export(redis, KafkaSettings(bootstrap=bootstrap(way)))
        way.drop_answers(5)
        async with background("export", exporting.run):
            await published.add(60)
            await until_finished(redis)
        assert way.dropped_answers == 5
    assert await check(broker, published) == 0


async def test_a_broker_that_is_restarted(redis: Redis, broker: Broker) -> None:
    published = Published(redis)
    settings = KafkaSettings(bootstrap=broker.bootstrap, request_timeout_s=0.5)
    exporting = export(redis, settings, lease_s=6)
    async with background("export", exporting.run):
        await published.add(60)
        await until_finished(redis)
        await broker.stop()
        await published.add(60)
        await until(lambda: exporting.figures.waiting)
        assert await acknowledged(redis) == 60
        await broker.start()
        await until_finished(redis)
    await check(broker, published)


async def test_an_exporter_that_ends_with_entries_in_hand_and_its_heirs(
    redis: Redis, broker: Broker
) -> None:
    published = Published(redis)
    exporting = export(redis, KafkaSettings(bootstrap=broker.bootstrap, request_timeout_s=0.5))
    for _ in range(3):
        await published.add(60)
        before = exporting.figures.entries
        async with background("export", exporting.run):
            await until(lambda before=before: exporting.figures.entries > before)
    async with background("export", exporting.run):
        await published.add(20)
        await until_finished(redis)
    await check(broker, published)


async def test_what_a_broker_lost_is_read_again_when_redis_still_has_it(
    redis: Redis, broker: Broker
) -> None:
    """A broker that loses acknowledged records breaks its word; the stream can be read again."""
    published = Published(redis)
    await published.add(60)
    exporting = export(redis, KafkaSettings(bootstrap=broker.bootstrap))
    async with background("export", exporting.run):
        await until_finished(redis)
    await broker.lose_everything()
    await broker.create_topic(TOPIC, partitions=3)
    await redis.xgroup_setid(STREAM_KEY, "kafka", "0")
    async with background("export", exporting.run):
        await until_finished(redis)
    assert await check(broker, published) == 0


SETTINGS = KafkaSettings(bootstrap="127.0.0.1:9", longest_backoff_s=0.01)


async def test_what_failed_is_sent_again_before_what_follows(redis: Redis) -> None:
    published = Published(redis)
    await published.add(3, events_each=2)
    producer = Answers(None, KafkaConnectionError(), None, None, None, None)
    exporting = export(redis, SETTINGS, producer)
    async with background("export", exporting.run):
        await until(lambda: exporting.figures.entries == 3)
    assert await finished(redis)
    first_try, second_try = producer.sent[:-6], producer.sent[-6:]
    assert len(first_try) >= 1
    assert [number_of(record) for record in second_try] == [1, 2, 3, 4, 5, 6]
    assert exporting.figures.failures == 1


async def test_a_kafka_that_can_not_be_reached_is_tried_again(redis: Redis) -> None:
    published = Published(redis)
    await published.add(1)
    producer = Answers(start=KafkaConnectionError())
    exporting = export(redis, SETTINGS, producer)
    async with background("export", exporting.run):
        await until_finished(redis)
    assert exporting.figures.failures == 1
    assert producer.closed == 2


async def test_a_full_buffer_is_waited_for(redis: Redis) -> None:
    published = Published(redis)
    await published.add(1, events_each=2)
    producer = Answers(KafkaTimeoutError(), KafkaTimeoutError())
    async with background("export", export(redis, SETTINGS, producer).run):
        await until_finished(redis)
    assert len(producer.sent) == 2


@pytest.mark.parametrize("is_big", [False, True])
async def test_what_can_never_be_exported_is_set_aside(redis: Redis, is_big: bool) -> None:
    published = Published(redis)
    producer = Answers(*[MessageSizeTooLargeError()] * is_big)
    if is_big:
        await published.add(1, events_each=1)
    else:
        await redis.xadd(STREAM_KEY, {"events": "nonsense"})
    await published.add(1)
    exporting = export(redis, SETTINGS, producer)
    async with background("export", exporting.run):
        await until(lambda: exporting.figures.entries == 2)
    assert await finished(redis)
    [(_, fields)] = await redis.xrange(f"{STREAM_KEY}:dead:kafka")
    assert (b"MessageSize" if is_big else b"not JSON") in fields[b"reason"]
    assert len(producer.sent) == 5
    assert exporting.figures.dead_letters == 1


@pytest.mark.parametrize("error", [MessageSizeTooLargeError, InvalidTimestampError])
async def test_what_the_broker_refuses_is_set_aside_and_the_rest_goes_on_in_order(
    redis: Redis, error: type[Exception]
) -> None:
    published = Published(redis)
    await published.add(6, events_each=3)
    producer = Refusing(error, 5, 9, 10)
    exporting = export(redis, SETTINGS.model_copy(update={"batch_entries": 2}), producer)
    async with background("export", exporting.run):
        await until_finished(redis)
    numbers = list(dict.fromkeys(map(number_of, producer.sent)))
    assert numbers == [number for number in range(1, 19) if number not in {5, 9, 10}]
    letters = await redis.xrange(f"{STREAM_KEY}:dead:kafka")
    assert [error.__name__.encode() in fields[b"reason"] for _, fields in letters] == [True] * 3
    assert exporting.figures.dead_letters == 3


async def test_a_refused_record_that_is_sent_back_is_set_aside_again(
    redis: Redis, pool: asyncpg.Pool
) -> None:
    published = Published(redis)
    database = Database(pool, acquire_timeout_s=5, statement_timeout_s=5)
    replays = ReplayStore(database, clock=lambda: datetime.now(UTC), new_id=uuid4)
    consumers = EventConsumers(replays, redis)
    source = event_source(redis, replays, KAFKA, member="kafka", claim_idle_ms=0)
    producer = Refusing(MessageSizeTooLargeError, 2)
    exporting = KafkaExport(source, Lease(redis, "kafka-export", 15), SETTINGS, producer)
    async with background("export", exporting.run):
        await published.add(1, events_each=2)
        await until(lambda: exporting.figures.dead_letters == 1)
        [letter] = await consumers.all_letters(KAFKA)
        await consumers.send_back(KAFKA, letter.letter_id)
        await until(lambda: exporting.figures.dead_letters == 2)
        await published.add(2, events_each=1)
        await until(lambda: exporting.figures.entries == 4)
    assert list(dict.fromkeys(map(number_of, producer.sent))) == [1, 3, 4]


async def test_one_node_exports_and_another_takes_over(redis: Redis) -> None:
    published = Published(redis)
    producers = Answers(), Answers()
    one, two = (export(redis, SETTINGS, each, lease_s=1) for each in producers)
    async with background("two", two.run), background("one", one.run):
        await published.add(5)
        await until(lambda: one.figures.entries + two.figures.entries == 5)
        assert [len(each.sent) for each in producers].count(0) == 1
        exporting, idle = (one, two) if one.figures.exporting else (two, one)
        await redis.delete("sociallive:lease:kafka-export")
        await redis.set("sociallive:lease:kafka-export", "another", px=50)
        await until(lambda: not exporting.figures.exporting)
        await published.add(5)
        await until(lambda: one.figures.entries + two.figures.entries == 10)
        assert not idle.figures.failures


async def test_the_driver_still_has_the_private_names_that_closing_uses() -> None:
    producer = KafkaProducer(SETTINGS)
    assert hasattr(producer._producer._sender, "sender_task")
    assert hasattr(producer._producer._sender, "close")
    await producer.close()


async def test_closing_gives_up_what_was_not_sent_and_leaves_nothing_running(
    broker: Broker,
) -> None:
    [record], _ = records_of(batch_to_json([gift_event(gift())]))
    async with broker.way() as way:
        settings = KafkaSettings(bootstrap=bootstrap(way), request_timeout_s=0.5)
        producer = KafkaProducer(settings)
        await producer.start()
        await (await producer.send(record))
        await way.cut()
        await producer.send(record)
        await producer.close()
    drivers = [task for task in asyncio.all_tasks() if "aiokafka" in repr(task)]
    assert not drivers
    assert len(await broker.records(settings.topic)) == 1


async def test_a_line_to_redis_that_is_cut_while_records_are_on_their_way(
    redis: Redis, broker: Broker
) -> None:
    url = redis.connection_pool.connection_kwargs
    redis_url = f"redis://:{url['password']}@{url['host']}:{url['port']}/0"
    published = Published(redis)
    async with Line(redis_url) as line, Redis.from_url(line.url) as far:
        exporting = export(far, KafkaSettings(bootstrap=broker.bootstrap))
        async with background("export", exporting.run):
            for _ in range(3):
                await published.add(30)
                await line.cut()
                await published.add(10)
                await line.mend()
            await until_finished(redis)
    await check(broker, published)
