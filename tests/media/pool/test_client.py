"""The asking end, against a worker in this loop and against ends that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from media.errors import MediaUnavailable, StreamOffline, UnknownSession
from media.events import StreamLive
from media.pool import client as client_module
from media.pool.channel import Channel
from media.pool.client import WorkerClient, WorkerFault
from media.pool.messages import Answer, Asked, EndViewer, Message, ReadStats, Refusal, Stop, Watch
from tests.media.conftest import STREAM
from tests.media.pool.conftest import ToldEvents


class OtherEnd:
    """Answers as the test says."""

    def __init__(self, channel: Channel, asked: "asyncio.Queue[Message]") -> None:
        self.channel = channel
        self.asked = asked

    async def next(self) -> Asked:
        asked = await asyncio.wait_for(self.asked.get(), 5)
        assert isinstance(asked, Asked)
        return asked


@pytest.fixture
async def pair(told: ToldEvents) -> AsyncIterator[tuple[WorkerClient, OtherEnd]]:
    ours, theirs = socket.socketpair()
    asked: asyncio.Queue[Message] = asyncio.Queue()
    client = WorkerClient(on_told=told)
    channel = Channel(on_message=asked.put_nowait)
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: client.channel, sock=ours)
    await loop.create_unix_connection(lambda: channel, sock=theirs)
    yield client, OtherEnd(channel, asked)
    client.channel.close("the test is over")
    channel.close("the test is over")


async def test_refusals_come_as_exceptions(worker_client: WorkerClient) -> None:
    with pytest.raises(StreamOffline) as refused:
        await worker_client.call(Watch(STREAM, "v=0"))
    assert refused.value.retry_after_s == 5
    with pytest.raises(UnknownSession):
        await worker_client.call(EndViewer(STREAM, "nobody"))
    assert await worker_client.call(ReadStats(STREAM)) is None


async def test_answers_find_their_calls_in_any_order(
    pair: tuple[WorkerClient, OtherEnd], told: ToldEvents
) -> None:
    client, other = pair
    first = asyncio.create_task(client.call(ReadStats(STREAM)))
    one = await other.next()
    second = asyncio.create_task(client.call(Watch(STREAM, "")))
    two = await other.next()
    other.channel.send(StreamLive(STREAM))
    accepted = {"session_id": "s", "answer": "v=0", "etag": '"e"'}
    other.channel.send(Answer(two.id, accepted))
    other.channel.send(Answer(one.id))
    assert (await second).session_id == "s"
    assert await first is None
    assert await told.next(StreamLive) == StreamLive(STREAM)


async def test_a_silent_worker_is_not_waited_for(pair: tuple[WorkerClient, OtherEnd]) -> None:
    client, other = pair
    with pytest.raises(MediaUnavailable):
        await client.call(ReadStats(STREAM), timeout_s=0.01)
    late = await other.next()
    other.channel.send(Answer(late.id))  # nobody waits for it, and nothing breaks
    other.channel.send(StreamLive(STREAM))
    again = asyncio.create_task(client.call(ReadStats(STREAM)))
    other.channel.send(Answer((await other.next()).id))
    assert await again is None


async def test_a_worker_that_goes_fails_its_calls_at_once(
    pair: tuple[WorkerClient, OtherEnd],
) -> None:
    client, other = pair
    calls = [asyncio.create_task(client.call(ReadStats(STREAM))) for _ in range(3)]
    await other.next()
    other.channel.close("killed")
    for call in calls:
        with pytest.raises(MediaUnavailable):
            await call
    with pytest.raises(MediaUnavailable):
        await client.call(Stop())


async def test_too_many_calls_are_refused_here(
    pair: tuple[WorkerClient, OtherEnd], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = pair
    monkeypatch.setattr(client_module, "MAX_CALLS", 1)
    waiting = asyncio.create_task(client.call(ReadStats(STREAM)))
    asked = await other.next()
    with pytest.raises(MediaUnavailable, match="too much"):
        await client.call(ReadStats(STREAM))
    other.channel.send(Answer(asked.id))
    assert await waiting is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(1, fault="ReadStats: KeyError"),
        Answer(1, {"viewers": "many"}),
        Answer(1, refusal=Refusal("SystemExit", "", {})),
    ],
)
async def test_faults_and_bad_answers_are_faults(
    pair: tuple[WorkerClient, OtherEnd], answer: Answer
) -> None:
    client, other = pair
    call = asyncio.create_task(client.call(ReadStats(STREAM)))
    assert (await other.next()).id == 1
    other.channel.send(answer)
    with pytest.raises(WorkerFault):
        await call


async def test_a_worker_does_not_ask(pair: tuple[WorkerClient, OtherEnd]) -> None:
    client, other = pair
    other.channel.send(Asked(1, Stop()))
    assert await asyncio.wait_for(client.channel.closed, 5) == "a worker that asks"


async def test_an_event_that_can_t_be_taken_is_logged_and_the_worker_goes_on(
    pair: tuple[WorkerClient, OtherEnd],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, other = pair

    def broken(_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(client, "_on_told", broken)
    call = asyncio.create_task(client.call(ReadStats(STREAM)))
    asked = await other.next()
    other.channel.send(StreamLive(STREAM))
    other.channel.send(Answer(asked.id))
    assert await call is None
    assert "an event was not taken" in caplog.text
