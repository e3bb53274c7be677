import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from media.catalog import MAX_STREAMS, CatalogState, StreamCatalog, checked_title
from media.errors import InvalidTitle, TooManyStreams, UnknownStream
from media.store import StreamStore

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ONE = datetime(2026, 1, 31, 13, tzinfo=UTC)
OWNER = UUID(int=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog(pool: asyncpg.Pool, clock: Clock) -> StreamCatalog:
    return StreamCatalog(StreamStore(pool), clock)


async def test_a_new_stream_is_offline_and_found(catalog: StreamCatalog) -> None:
    stream, key = await catalog.create(OWNER, "Ada", "  Night coding ")
    assert (stream.title, stream.owner_name, stream.owner_id) == ("Night coding", "Ada", OWNER)
    assert (stream.state, stream.started_at, stream.created_at) == (
        CatalogState.OFFLINE,
        None,
        NOON,
    )
    assert key.startswith("sk_")
    assert len(key) >= 3 + 43
    assert await catalog.get(stream.stream_id) == stream
    assert await catalog.owned(OWNER) == [stream]
    assert await catalog.owned(uuid4()) == []
    assert await catalog.live() == []


async def test_only_the_latest_key_works(catalog: StreamCatalog) -> None:
    stream, first = await catalog.create(OWNER, "Ada", "One")
    other, foreign = await catalog.create(OWNER, "Ada", "Two")
    assert await catalog.verify_key(stream.stream_id, first)
    for wrong in ("", "sk_", first[:-1], first + "A", foreign, "ключ", "\ud800"):
        assert not await catalog.verify_key(stream.stream_id, wrong)
    rotated, second = await catalog.rotate_key(stream.stream_id)
    assert rotated == stream
    assert not await catalog.verify_key(stream.stream_id, first)
    assert await catalog.verify_key(stream.stream_id, second)
    assert await catalog.verify_key(other.stream_id, foreign)
    assert not await catalog.verify_key(uuid4(), second)


async def test_the_key_itself_is_not_kept(catalog: StreamCatalog, pool: asyncpg.Pool) -> None:
    _, key = await catalog.create(OWNER, "Ada", "One")
    row = await pool.fetchrow("SELECT * FROM media.streams")
    assert row is not None
    assert key not in str(dict(row))
    assert key.encode() not in row["key_hash"]


async def test_a_live_stream_keeps_its_start_through_an_interruption(
    catalog: StreamCatalog, clock: Clock
) -> None:
    stream, _ = await catalog.create(OWNER, "Ada", "One")
    await catalog.mark_live(stream.stream_id)
    clock.now = ONE
    await catalog.mark_interrupted(stream.stream_id)
    interrupted = await catalog.get(stream.stream_id)
    assert (interrupted.state, interrupted.started_at) == (CatalogState.INTERRUPTED, NOON)
    assert await catalog.live() == [interrupted]
    await catalog.mark_live(stream.stream_id)
    live = await catalog.get(stream.stream_id)
    assert (live.state, live.started_at) == (CatalogState.LIVE, NOON)
    await catalog.mark_offline(stream.stream_id)
    assert await catalog.get(stream.stream_id) == stream
    await catalog.mark_interrupted(stream.stream_id)
    assert await catalog.get(stream.stream_id) == stream


async def test_after_a_restart_nothing_is_live(catalog: StreamCatalog) -> None:
    streams = [(await catalog.create(OWNER, "Ada", f"{n}"))[0] for n in range(3)]
    await catalog.mark_live(streams[0].stream_id)
    await catalog.mark_live(streams[1].stream_id)
    await catalog.mark_interrupted(streams[1].stream_id)
    await catalog.reset_live()
    assert await catalog.live() == []
    assert await catalog.owned(OWNER) == streams


async def test_one_person_has_a_bounded_number_of_streams(catalog: StreamCatalog) -> None:
    results = await asyncio.gather(
        *(catalog.create(OWNER, "Ada", f"{n}") for n in range(MAX_STREAMS + 3)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, TooManyStreams) for result in results) == 3
    assert len(await catalog.owned(OWNER)) == MAX_STREAMS
    await catalog.create(uuid4(), "Bob", "another's")


async def test_renaming(catalog: StreamCatalog) -> None:
    stream, _ = await catalog.create(OWNER, "Ada", "One")
    assert (await catalog.rename(stream.stream_id, "Two")).title == "Two"
    with pytest.raises(InvalidTitle):
        await catalog.rename(stream.stream_id, " ")
    assert (await catalog.get(stream.stream_id)).title == "Two"


async def test_an_unknown_stream(catalog: StreamCatalog) -> None:
    unknown = uuid4()
    with pytest.raises(UnknownStream):
        await catalog.get(unknown)
    with pytest.raises(UnknownStream):
        await catalog.rename(unknown, "Two")
    with pytest.raises(UnknownStream):
        await catalog.rotate_key(unknown)
    await catalog.mark_live(unknown)
    assert await catalog.live() == []


@pytest.mark.parametrize(
    "title", ["", "   ", "x" * 121, "two\nlines", "nul\0", "\u202eevil", "\ud800"]
)
def test_unfit_titles(title: str) -> None:
    with pytest.raises(InvalidTitle):
        checked_title(title)


@pytest.mark.parametrize("title", ["x", "x" * 120, "Ночь", "👨‍👩‍👧 family", "日本語", "a: b / c"])
def test_fit_titles(title: str) -> None:
    assert checked_title(title) == title
