"""Media events reach the catalogue and the rooms."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from media.catalog import CatalogState, StreamCatalog
from media.events import (
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)
from media.store import StreamStore
from server.app import clock
from server.bridges.stream_states import StreamStates


class Rooms:
    """What viewers were told; the first `failures` calls fail."""

    def __init__(self, failures: int = 0) -> None:
        self.told: list[tuple[UUID, str]] = []
        self.reasons: list[str | None] = []
        self._failures = failures

    async def stream_state(
        self, stream_id: UUID, state: str, *, reconnect: bool = False, reason: str | None = None
    ) -> None:
        if self._failures:
            self._failures -= 1
            raise ConnectionError("Redis is away")
        self.told.append((stream_id, f"{state}, reconnect" if reconnect else state))
        self.reasons.append(reason)


@pytest.fixture
def catalog(pool: asyncpg.Pool) -> StreamCatalog:
    return StreamCatalog(StreamStore(pool), clock)


async def test_states_are_written_and_told(catalog: StreamCatalog) -> None:
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    rooms = Rooms()
    states = StreamStates(catalog, rooms)
    for event, expected in (
        (StreamLive(stream.stream_id), CatalogState.LIVE),
        (StreamInterrupted(stream.stream_id), CatalogState.INTERRUPTED),
        (StreamLive(stream.stream_id), CatalogState.LIVE),
        (StreamEnded(stream.stream_id, "The publisher stopped."), CatalogState.OFFLINE),
    ):
        states.on_event(event)
        await states.flush()
        assert (await catalog.get(stream.stream_id)).state is expected
        assert rooms.told[-1] == (stream.stream_id, expected.value)


async def test_a_room_hears_why_its_stream_ended(catalog: StreamCatalog) -> None:
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    rooms = Rooms(failures=1)
    states = StreamStates(catalog, rooms)
    states.on_event(StreamLive(stream.stream_id))
    states.on_event(StreamEnded(stream.stream_id, "The encoder sent too much."))
    with pytest.raises(ConnectionError):
        await states.flush()
    await states.flush()
    states.on_event(StreamLive(stream.stream_id))
    await states.flush()
    states.on_event(StreamEnded(stream.stream_id, "one"))
    states.on_event(StreamLive(stream.stream_id))  # again before anybody was told
    await states.flush()
    assert rooms.reasons == ["The encoder sent too much.", None, None]


async def test_only_the_latest_state_of_a_stream_waits(catalog: StreamCatalog) -> None:
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    rooms = Rooms()
    states = StreamStates(catalog, rooms)
    for _ in range(100):
        states.on_event(StreamLive(stream.stream_id))
        states.on_event(ViewersChanged(stream.stream_id, 5))
        states.on_event(StreamInterrupted(stream.stream_id))
    await states.flush()
    assert rooms.told == [(stream.stream_id, "interrupted")]


async def test_what_failed_is_written_later(catalog: StreamCatalog) -> None:
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    rooms = Rooms(failures=1)
    states = StreamStates(catalog, rooms)
    states.on_event(StreamLive(stream.stream_id))
    with pytest.raises(ConnectionError):
        await states.flush()
    await states.flush()
    assert rooms.told == [(stream.stream_id, "live")]


async def test_lost_sessions_are_told_once_with_the_state_of_the_moment(
    catalog: StreamCatalog,
) -> None:
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    rooms = Rooms(failures=1)
    states = StreamStates(catalog, rooms)
    states.on_event(SessionsLost(stream.stream_id))  # of a stream that nobody heard of: no news
    states.on_event(StreamLive(stream.stream_id))
    states.on_event(StreamInterrupted(stream.stream_id))
    states.on_event(SessionsLost(stream.stream_id))
    with pytest.raises(ConnectionError):
        await states.flush()
    await states.flush()
    states.on_event(StreamLive(stream.stream_id))
    await states.flush()
    states.on_event(SessionsLost(stream.stream_id))  # a worker of viewers only
    await states.flush()
    assert [told for _, told in rooms.told] == [
        "interrupted, reconnect",
        "live",
        "live, reconnect",
    ]
    states.on_event(SessionsLost(stream.stream_id))
    states.on_event(StreamEnded(stream.stream_id, "over"))
    states.on_event(SessionsLost(stream.stream_id))
    await states.flush()
    assert rooms.told[-1] == (stream.stream_id, "offline")
