"""A source that misses nothing: over a real Redis that is trimmed, emptied and cut short."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from ledger.errors import LedgerBusy
from ledger.replays import LoggedBatch, Replay
from server.bus import STREAM_KEY, ConsumerGroupSource, consumer
from server.bus.complete import CompleteSource
from server.bus.dead_letters import DeadLetters, returned_key

NOW = datetime(2026, 1, 31, tzinfo=UTC)


class Log:
    """The ledger's log, cursors and replays, in memory."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.cursors: dict[str, int] = {}
        self.replays: list[Replay] = []
        self.finished: list[Replay] = []
        self.busy = 0

    def _answer(self) -> None:
        if self.busy:
            self.busy -= 1
            raise LedgerBusy

    async def cursor(self, consumer: str) -> int | None:
        self._answer()
        return self.cursors.get(consumer)

    async def move_cursor(self, consumer: str, sequence: int) -> None:
        self.cursors[consumer] = max(sequence, self.cursors.get(consumer, 0))

    async def published(self) -> int:
        return self.cursors.get("stream", 0)

    async def batches(self, after: int, until: int, limit: int) -> list[LoggedBatch]:
        self._answer()
        rows = [row for row in self.rows if after < row <= until][:limit]
        return [LoggedBatch(row, b"[%d]" % row) for row in rows]

    async def make_up(self, consumer: str, *, after: int, until: int, reason: str) -> Replay:
        self._answer()
        replay = Replay(uuid4(), consumer, after, until, reason, NOW, None)
        self.replays.append(replay)
        return replay

    async def take(self, consumer: str, holder: UUID) -> Replay | None:
        return self.replays[0] if self.replays else None

    async def advance(self, replay_id: UUID, position: int) -> None:
        [replay] = [each for each in self.replays if each.replay_id == replay_id]
        self.replays.remove(replay)
        moved = replace(replay, position=position)
        if position >= replay.until:
            self.finished.append(moved)
        else:
            self.replays.insert(0, moved)


class Stage:
    """A log that is published to a real stream, and a reader that writes down what it handled."""

    def __init__(self, redis: Redis, *, look_s: float = 0) -> None:
        self.redis = redis
        self.log = Log()
        self.look_s = look_s
        self.handled: list[int] = []
        self.source = self.member("a")

    def member(self, name: str) -> CompleteSource:
        def group(key: str) -> ConsumerGroupSource:
            return ConsumerGroupSource(
                self.redis, group="aml", consumer=name, claim_idle_ms=60_000, key=key
            )

        streams = group(STREAM_KEY), group(returned_key("aml"))
        return CompleteSource(
            *streams, self.log, consumer="aml", member=uuid4(), look_s=self.look_s
        )

    async def publish(self, *sequences: int) -> None:
        for sequence in sequences:
            fields = {
                "events": b"[%d]" % sequence,
                "sequence": sequence,
                "after": self.log.cursors.get("stream", 0),
            }
            await self.redis.xadd(STREAM_KEY, fields)
            self.log.rows.append(sequence)
            self.log.cursors["stream"] = sequence

    async def read(self, reads: int = 1, *, ack: bool = True, most: int = 10) -> list[int]:
        """What came in that many reads."""
        came = []
        for _ in range(reads):
            entries = await self.source.read(max_entries=most, block_ms=1)
            came += [int(entry.payload.strip(b"[]")) for entry in entries]
            if ack:
                await self.source.ack([entry.entry_id for entry in entries])
        self.handled += came
        return came


@pytest.fixture
def stage(redis: Redis) -> Stage:
    return Stage(redis)


async def test_a_whole_stream_is_handed_out_once(stage: Stage) -> None:
    await stage.publish(3, 4, 7)
    assert await stage.read(4) == [3, 4, 7]
    assert stage.source.gaps == 0
    assert stage.log.cursors["aml"] == 7


async def test_what_was_trimmed_before_it_was_read_comes_first_from_the_log(stage: Stage) -> None:
    await stage.publish(1, 2)
    await stage.read()
    await stage.publish(*range(3, 40))
    await stage.redis.xtrim(STREAM_KEY, maxlen=2, approximate=False)
    assert await stage.read(20, most=5) == list(range(3, 40))
    assert stage.source.gaps == 1
    assert stage.source.replayed_batches == 35
    assert stage.log.cursors["aml"] == 39


async def test_a_stream_that_was_emptied_is_caught_up_from_the_cursor(stage: Stage) -> None:
    await stage.publish(1, 2)
    await stage.read(3)
    assert stage.log.cursors["aml"] == 2
    await stage.publish(3, 4)
    await stage.redis.flushall()
    await stage.publish(5)
    assert await stage.read(6) == [3, 4, 5]


async def test_a_lost_end_is_noticed_before_anything_follows(stage: Stage) -> None:
    await stage.publish(1)
    await stage.read(2)
    await stage.publish(2, 3)
    await stage.redis.flushall()
    assert await stage.read(4) == [2, 3]
    assert await stage.read(4) == []
    assert len(stage.log.finished) == 1


async def test_a_gap_in_the_middle_is_noticed(stage: Stage) -> None:
    await stage.publish(1, 2, 3, 4)
    [(_, _), lost, *_] = await stage.redis.xrange(STREAM_KEY)
    await stage.redis.xdel(STREAM_KEY, lost[0])
    handled = await stage.read(6)
    assert set(handled) == {1, 2, 3, 4}
    assert handled[0] == 2


@pytest.mark.parametrize("has_memory", [True, False])
async def test_entries_that_leave_the_stream_unfinished_are_replayed(
    redis: Redis, has_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_memory:
        refused = consumer.CLAIM.replace("INCRBY", "REFUSED")
        monkeypatch.setattr(consumer, "CLAIM", refused)
    stage = Stage(redis)
    await stage.publish(1, 2)
    await stage.read(2)
    await stage.publish(3, 4)
    await stage.read(1, ack=False)
    await redis.xtrim(STREAM_KEY, maxlen=0, approximate=False)
    heir = ConsumerGroupSource(redis, group="aml", consumer="heir", claim_idle_ms=0)
    returned = ConsumerGroupSource(
        redis, group="aml", consumer="heir", claim_idle_ms=0, key=returned_key("aml")
    )
    stage.source = CompleteSource(
        heir, returned, stage.log, consumer="aml", member=uuid4(), look_s=0
    )
    assert await stage.read(5) == [3, 4]


async def test_entries_that_left_the_stream_are_replayed_though_who_saw_it_is_gone(
    redis: Redis,
) -> None:
    stage = Stage(redis)
    await stage.publish(1, 2)
    await stage.read(2)
    await stage.publish(3, 4)
    await stage.read(1, ack=False)
    await stage.publish(5, 6)
    await redis.xtrim(STREAM_KEY, maxlen=2, approximate=False)
    heir = ConsumerGroupSource(redis, group="aml", consumer="heir", claim_idle_ms=0)
    assert [each.sequence for each in await heir.read(max_entries=10, block_ms=1)] == [5, 6]
    assert (heir.lost_entries, await heir.finished()) == (2, None)
    await heir.raise_position(6)
    await heir.ack([entry_id.decode() for entry_id, _ in await redis.xrange(STREAM_KEY)])
    stage.source = stage.member("b")
    assert await stage.read(5) == [3, 4, 5, 6]
    assert await heir.lost() == 0
    assert await stage.read(5) == []
    assert stage.log.cursors["aml"] == 6


def in_order(stage: Stage) -> CompleteSource:
    """A member as the export to Kafka is one: all have one name, one at a time reads."""

    def group(key: str) -> ConsumerGroupSource:
        return ConsumerGroupSource(
            stage.redis, group="aml", consumer="one", claim_idle_ms=0, key=key
        )

    streams = group(STREAM_KEY), group(returned_key("aml"))
    return CompleteSource(*streams, stage.log, consumer="aml", member=uuid4(), look_s=0)


async def test_a_gap_comes_first_though_who_was_handed_what_follows_is_gone(stage: Stage) -> None:
    stage.source = in_order(stage)
    await stage.publish(1, 2)
    await stage.read(2)
    await stage.publish(3, 4, 5, 6)
    await stage.redis.xtrim(STREAM_KEY, maxlen=2, approximate=False)
    gone = ConsumerGroupSource(stage.redis, group="aml", consumer="one", claim_idle_ms=0)
    assert len(await gone.read(max_entries=10, block_ms=1)) == 2
    assert await gone.finished() == 2
    assert await stage.read(6) == [3, 4, 5, 6]


async def test_an_emptied_stream_is_caught_up_though_who_was_handed_it_is_gone(
    stage: Stage,
) -> None:
    await stage.publish(1, 2)
    await stage.read(3)
    await stage.publish(3, 4)
    await stage.redis.flushall()
    await stage.publish(5)
    gone = ConsumerGroupSource(stage.redis, group="aml", consumer="one", claim_idle_ms=0)
    assert len(await gone.read(max_entries=10, block_ms=1)) == 1
    stage.source = in_order(stage)
    assert await stage.read(6) == [3, 4, 5]


async def test_who_begins_anew_repeats_nothing_that_another_has_done(stage: Stage) -> None:
    stage.source = one = in_order(stage)
    await stage.publish(1, 2)
    await stage.read(2)
    await stage.publish(*range(3, 9))
    await stage.redis.xtrim(STREAM_KEY, maxlen=2, approximate=False)
    assert await stage.read(2, most=2) == [3, 4]
    stage.source = in_order(stage)
    assert await stage.read(8, most=2) == [5, 6, 7, 8]
    stage.source = one
    one.begin_anew()
    await stage.publish(9)
    assert await stage.read(4) == [9]


async def test_a_new_consumer_begins_where_the_stream_does(stage: Stage) -> None:
    await stage.publish(1, 2, 3)
    await stage.redis.xtrim(STREAM_KEY, maxlen=1, approximate=False)
    assert await stage.read(3) == [3]
    assert stage.source.gaps == 0


async def test_a_new_consumer_misses_nothing_from_its_first_entry_on(redis: Redis) -> None:
    stage = Stage(redis, look_s=3600)
    await stage.publish(1, 2, 3)
    assert await stage.read(2, most=2) == [1, 2, 3]
    stage.source = stage.member("b")
    await redis.flushall()
    await stage.publish(4)
    assert set(await stage.read(6)) == {1, 2, 3, 4}  # some again: Redis forgot what was done


async def test_a_new_consumer_of_an_empty_stream_misses_nothing(stage: Stage) -> None:
    assert await stage.read(1) == []
    await stage.publish(1, 2)
    await stage.redis.flushall()
    stage.source = stage.member("b")
    assert await stage.read(4) == [1, 2]


async def test_entries_without_a_place_are_handed_out_as_they_are(stage: Stage) -> None:
    await stage.redis.xadd(STREAM_KEY, {"events": b"[7]"})
    assert await stage.read(2) == [7]
    assert stage.source.gaps == 0


async def test_a_member_that_is_a_moment_late_makes_no_gap(stage: Stage) -> None:
    await stage.publish(1)
    await stage.read(2)
    await stage.publish(2, 3)
    late = ConsumerGroupSource(stage.redis, group="aml", consumer="b", claim_idle_ms=60_000)
    [entry] = await late.read(max_entries=1, block_ms=1)
    reading = asyncio.create_task(stage.read(1))
    await asyncio.sleep(0)
    await late.raise_position(2)
    await late.ack([entry.entry_id])
    assert await reading == [3]
    assert stage.source.gaps == 0


async def test_a_replay_that_was_asked_for(stage: Stage) -> None:
    await stage.publish(*range(1, 8))
    await stage.read(3)
    await stage.log.make_up("aml", after=2, until=6, reason="asked for")
    assert await stage.read(4, most=3) == [3, 4, 5, 6]
    assert [each.position for each in stage.log.finished] == [6]


async def test_an_unfinished_batch_of_a_replay_comes_again_and_holds_it_up(stage: Stage) -> None:
    await stage.publish(1, 2, 3)
    await stage.read(3)
    await stage.log.make_up("aml", after=0, until=3, reason="asked for")
    entries = await stage.source.read(max_entries=10, block_ms=1)
    await stage.source.ack([each.entry_id for each in entries if each.payload != b"[2]"])
    [again] = await stage.source.read(max_entries=10, block_ms=1)
    assert (again.payload, again.deliveries) == (b"[2]", 2)
    assert stage.log.replays[0].position == 1
    await stage.source.dead_letter(again, "poison")
    assert stage.log.finished[0].position == 3
    [letter] = await DeadLetters(stage.redis).listed("aml", before=None, limit=5)
    assert (letter.entry_id, letter.payload) == ("log:2", b"[2]")


async def test_a_replay_goes_on_where_another_process_left_it(stage: Stage) -> None:
    await stage.publish(*range(1, 7))
    await stage.read(3)
    await stage.log.make_up("aml", after=0, until=6, reason="asked for")
    assert await stage.read(1, most=2) == [1, 2]
    stage.source = stage.member("b")
    assert await stage.read(5) == [3, 4, 5, 6]


async def test_a_letter_that_was_sent_back_is_handed_out_again(stage: Stage) -> None:
    await stage.publish(1)
    [entry] = await stage.source.read(max_entries=10, block_ms=1)
    await stage.source.dead_letter(entry, "poison")
    letters = DeadLetters(stage.redis)
    [letter] = await letters.listed("aml", before=None, limit=5)
    await letters.send_back("aml", letter.letter_id)
    [again] = await stage.source.read(max_entries=10, block_ms=1)
    assert again.payload == b"[1]"
    await stage.source.dead_letter(again, "poison still")
    [letter] = await letters.listed("aml", before=None, limit=5)
    assert letter.reason == "poison still"
    await letters.send_back("aml", letter.letter_id)
    assert await stage.read(2) == [1]
    assert await stage.read(2) == []
    assert await letters.count("aml") == 0


async def test_it_waits_for_a_database_that_is_away(stage: Stage) -> None:
    await stage.publish(1, 2)
    await stage.read(3)
    await stage.publish(3, 4)
    await stage.redis.xtrim(STREAM_KEY, maxlen=1, approximate=False)
    stage.log.busy = 3
    assert await asyncio.wait_for(stage.read(5), 10) == [3, 4]


async def test_looking_is_done_now_and_then_only(redis: Redis) -> None:
    stage = Stage(redis, look_s=3600)
    await stage.publish(1)
    await stage.read(2)
    await stage.log.make_up("aml", after=0, until=1, reason="asked for")
    assert await stage.read(3) == []
