import pytest
from redis.asyncio import Redis

from compliance.aml.intake import Entry
from server.bus import ConsumerGroupSource
from server.bus.dead_letters import DeadLetters, is_letter_id, returned_key


@pytest.fixture
async def letters(redis: Redis) -> DeadLetters:
    group = ConsumerGroupSource(redis, group="aml", consumer="a", claim_idle_ms=1)
    for number in range(3):
        await group.copy_to_dead_letters(Entry(f"{number}-0", b"[%d]" % number, 5), "poison")
    return DeadLetters(redis)


async def test_they_are_listed_newest_first_page_by_page(letters: DeadLetters) -> None:
    first = await letters.listed("aml", before=None, limit=2)
    rest = await letters.listed("aml", before=first[-1].letter_id, limit=2)
    assert [each.payload for each in (*first, *rest)] == [b"[2]", b"[1]", b"[0]"]
    assert (rest[0].entry_id, rest[0].deliveries, rest[0].reason) == ("0-0", 5, "poison")
    assert rest[0].set_aside_at.tzinfo is not None
    assert await letters.count("aml") == 3
    assert await letters.count("kafka") == 0


async def test_one_is_sent_back_once(letters: DeadLetters, redis: Redis) -> None:
    [newest, *_] = await letters.listed("aml", before=None, limit=5)
    assert await letters.send_back("aml", newest.letter_id)
    assert not await letters.send_back("aml", newest.letter_id)
    [(_, fields)] = await redis.xrange(returned_key("aml"))
    assert fields[b"events"] == b"[2]"
    assert await letters.count("aml") == 2


async def test_one_is_discarded_once(letters: DeadLetters, redis: Redis) -> None:
    [newest, *_] = await letters.listed("aml", before=None, limit=5)
    assert await letters.discard("aml", newest.letter_id)
    assert not await letters.discard("aml", newest.letter_id)
    assert not await redis.exists(returned_key("aml"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "+", "1", "1-", "1-1-1", "a-1", "1-1 COUNT 5", "0-0", "1-1\0", "1-1\n"),
        *(f"{2**64}-1", f"1-{2**64}", "99999999999999999999-0", "\u0661-\u0661"),
    ],
)
async def test_an_id_that_is_none_finds_nothing(letters: DeadLetters, text: str) -> None:
    assert not is_letter_id(text)
    assert not await letters.send_back("aml", text)
    assert not await letters.discard("aml", text)


async def test_the_last_id_that_redis_has_is_one(letters: DeadLetters) -> None:
    last = f"{2**64 - 1}-{2**64 - 1}"
    assert is_letter_id(last)
    assert not await letters.send_back("aml", last)
    assert len(await letters.listed("aml", before=last, limit=5)) == 3
