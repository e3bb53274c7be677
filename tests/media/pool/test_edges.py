"""Edges over workers that only say what they were asked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from media.errors import MediaUnavailable, StreamOffline, StreamRestarting
from media.feeds import Feed
from media.pool.client import WorkerFault
from media.pool.edges import Edges
from media.pool.messages import Call, CloseFeed, OpenFeed, Pull, StopStream, Unlink
from media.pool.streams import PlacedState, PlacedStream
from media.relay.tracks import Address
from tests.media.conftest import OWNER, STREAM

FEED = Feed((), (), "cname")


class Workers:
    """Answers everything; `failing` names calls that a worker refuses."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Call[Any]]] = []
        self.failing: dict[tuple[str, type[Call[Any]]], Exception] = {}
        self.held: dict[type[Call[Any]], asyncio.Event] = {}
        self.down: set[str] = set()

    async def call(self, worker: str, call: Call[Any]) -> Any:
        self.asked.append((worker, call))
        if (hold := self.held.get(type(call))) is not None:
            await hold.wait()
        if (failure := self.failing.get((worker, type(call)))) is not None:
            raise failure
        return FEED if isinstance(call, OpenFeed) else None

    def feed_address(self, worker: str) -> Address:
        if worker in self.down:
            raise StreamRestarting
        return ("127.0.0.1", 7000 + int(worker))

    def kinds(self) -> list[tuple[str, type[Call[Any]]]]:
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return [(worker, type(call)) for worker, call in asked]


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
async def edges(workers: Workers) -> AsyncIterator[Edges]:
    edges = Edges(workers, linger_s=0.0)
    yield edges
    await edges.finish()


@pytest.fixture
def stream() -> PlacedStream:
    return PlacedStream(STREAM, OWNER, "1", 0.0, PlacedState.LIVE)


async def settle() -> None:
    """Let what goes on in the background be done."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_both_ends_are_told_the_same_keys_and_each_other_s_address(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    assert edges.of(STREAM) == ["2"]
    (origin, opened), (edge, pulled) = workers.asked
    assert (origin, edge) == ("1", "2")
    assert isinstance(opened, OpenFeed)
    assert isinstance(pulled, Pull)
    assert opened.link.address == ("127.0.0.1", 7002)
    assert pulled.link.address == ("127.0.0.1", 7001)
    assert (opened.link.keys, opened.link.number) == (pulled.link.keys, pulled.link.number)
    assert (pulled.publisher_id, pulled.feed) == (OWNER, FEED)


async def test_viewers_who_come_together_share_one_feed(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await asyncio.gather(*(edges.ensure(stream, "2") for _ in range(5)))
    assert workers.kinds() == [("1", OpenFeed), ("2", Pull)]


async def test_a_publisher_that_is_back_means_a_new_feed_for_each_edge(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    for worker in ("2", "3"):
        await edges.ensure(stream, worker)
    first = [call.link for _, call in workers.asked if isinstance(call, OpenFeed)]
    workers.kinds()
    edges.refresh(stream)
    await settle()
    again = [call.link for _, call in workers.asked if isinstance(call, OpenFeed)]
    assert len(again) == 2
    assert not {link.keys.origin for link in first} & {link.keys.origin for link in again}
    closed = {call.feed for _, call in workers.asked if isinstance(call, CloseFeed)}
    assert closed == {link.number for link in first}
    assert [worker for worker, kind in workers.kinds() if kind is Pull] == ["2", "3"]


async def test_an_edge_may_become_the_origin(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    for worker in ("2", "3"):
        await edges.ensure(stream, worker)
    workers.kinds()
    edges.on_origin_lost(STREAM)
    await settle()
    assert workers.kinds() == [("2", Unlink), ("3", Unlink)]
    stream.worker = "2"
    edges.refresh(stream)
    await settle()
    assert edges.of(STREAM) == ["3"]
    assert workers.kinds() == [("2", OpenFeed), ("3", Pull)]


async def test_the_end_of_a_stream_ends_it_at_its_edges(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.kinds()
    edges.on_ended(STREAM, "over")
    await settle()
    assert workers.asked == [("2", StopStream(STREAM, "over"))]
    assert len(edges) == 0


async def test_a_dead_edge_s_feed_is_closed(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.kinds()
    edges.on_worker_lost("2")
    edges.on_worker_lost("3")
    await settle()
    assert workers.kinds() == [("1", CloseFeed)]
    assert edges.of(STREAM) == []


async def test_an_edge_that_nobody_watches_at_is_given_up(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.kinds()
    edges.sweep(lambda stream_id, worker: 1)
    assert edges.of(STREAM) == ["2"]
    edges.sweep(lambda stream_id, worker: 0)
    await settle()
    assert set(workers.kinds()) == {("1", CloseFeed), ("2", StopStream)}
    assert len(edges) == 0


async def test_an_edge_can_be_given_up_whoever_watches(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.kinds()
    edges.give_up(STREAM, "3")
    edges.give_up(STREAM, "2")
    await settle()
    assert set(workers.kinds()) == {("1", CloseFeed), ("2", StopStream)}


async def test_a_new_edge_is_not_given_up_before_its_first_viewer_is_connected(
    workers: Workers, stream: PlacedStream
) -> None:
    edges = Edges(workers, linger_s=60.0)
    await edges.ensure(stream, "2")
    edges.sweep(lambda stream_id, worker: 0)
    assert edges.of(STREAM) == ["2"]


@pytest.mark.parametrize("failing", [("1", OpenFeed), ("2", Pull)])
@pytest.mark.parametrize("failure", [StreamOffline(), WorkerFault("a bug")])
async def test_an_edge_that_can_t_be_made_is_none(
    edges: Edges,
    workers: Workers,
    stream: PlacedStream,
    failing: tuple[str, type[Call[Any]]],
    failure: Exception,
) -> None:
    workers.failing[failing] = failure
    with pytest.raises(type(failure)):
        await edges.ensure(stream, "2")
    await settle()
    assert len(edges) == 0
    assert (("1", CloseFeed) in workers.kinds()) is (failing[1] is Pull)
    workers.failing.clear()
    await edges.ensure(stream, "2")
    assert edges.of(STREAM) == ["2"]


async def test_without_an_origin_there_is_no_edge(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    stream.worker = None
    with pytest.raises(StreamRestarting):
        await edges.ensure(stream, "2")
    stream.worker = "1"
    workers.down.add("2")
    with pytest.raises(StreamRestarting):
        await edges.ensure(stream, "2")
    assert (workers.asked, len(edges)) == ([], 0)


async def test_an_edge_that_can_t_be_fed_anew_sends_its_viewers_away(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.failing["1", OpenFeed] = MediaUnavailable("hung")
    workers.kinds()
    edges.refresh(stream)
    await settle()
    assert set(workers.kinds()) == {("1", CloseFeed), ("1", OpenFeed), ("2", StopStream)}
    assert len(edges) == 0


async def test_a_stream_that_ends_while_an_edge_is_made_leaves_nothing_there(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    hold = workers.held[Pull] = asyncio.Event()
    making = asyncio.create_task(edges.ensure(stream, "2"))
    await settle()
    edges.on_ended(STREAM, "over")
    hold.set()
    with pytest.raises(StreamRestarting):
        await making
    await settle()
    assert workers.kinds()[-2:] in (
        [("2", StopStream), ("1", CloseFeed)],
        [("1", CloseFeed), ("2", StopStream)],
    )
    assert edges.of(STREAM) == []


async def test_other_streams_are_left_alone(
    edges: Edges, workers: Workers, stream: PlacedStream
) -> None:
    await edges.ensure(stream, "2")
    workers.kinds()
    edges.on_ended(UUID(int=99), "over")
    edges.on_origin_lost(UUID(int=99))
    await settle()
    assert (workers.kinds(), edges.of(STREAM)) == ([], ["2"])
