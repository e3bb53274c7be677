"""The answering end of a control channel: a worker process's life, from its hello to its stop."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from media.door import WorkerFigures
from media.errors import MediaRefusal, NoNativePlane, PortTaken
from media.local import BusyMeter, worker_figures
from media.pool.channel import Channel, ChannelClosed
from media.pool.messages import (
    BEAT_S,
    VERSION,
    Answer,
    Asked,
    Beat,
    Call,
    CloseFeed,
    Declined,
    EndPublisher,
    EndViewer,
    Hello,
    Message,
    OpenFeed,
    PatchPublisher,
    PatchViewer,
    Publish,
    Pull,
    ReadStats,
    Stop,
    StopStream,
    Told,
    Unlink,
    Watch,
    Welcome,
    dump_result,
)
from media.pool.refusals import pack
from media.worker import MediaWorker

STOP_PATIENCE_S: Final = 2.0

_logger = logging.getLogger(__name__)

_HANDLERS: Final[Mapping[type[Call[Any]], Callable[[MediaWorker, Any], Any]]] = {
    Publish: lambda worker, call: worker.publish(call.stream_id, call.publisher_id, call.offer),
    Watch: lambda worker, call: worker.watch(call.stream_id, call.offer),
    PatchPublisher: lambda worker, call: worker.patch_publisher(
        call.stream_id, call.session_id, call.fragment, call.if_match
    ),
    PatchViewer: lambda worker, call: worker.patch_viewer(
        call.stream_id, call.session_id, call.fragment, call.if_match
    ),
    EndPublisher: lambda worker, call: worker.end_publisher(call.stream_id, call.session_id),
    EndViewer: lambda worker, call: worker.end_viewer(call.stream_id, call.session_id),
    StopStream: lambda worker, call: worker.stop_stream(call.stream_id, call.reason),
    ReadStats: lambda worker, call: worker.stats(call.stream_id),
    OpenFeed: lambda worker, call: worker.cascade.open_feed(
        call.stream_id, call.link, asyncio.get_running_loop().time()
    ),
    CloseFeed: lambda worker, call: worker.cascade.close_feed(call.stream_id, call.feed),
    Pull: lambda worker, call: worker.cascade.pull(
        call.stream_id,
        call.publisher_id,
        call.link,
        call.feed,
        now=asyncio.get_running_loop().time(),
    ),
    Unlink: lambda worker, call: worker.cascade.unlink(
        call.stream_id, asyncio.get_running_loop().time()
    ),
}


async def serve_worker(control: socket.socket) -> None:
    """Be a worker until the other end says `Stop` or is gone; then its streams end, too."""
    service = WorkerService()
    await asyncio.get_running_loop().create_unix_connection(lambda: service.channel, sock=control)
    await service.run()


class WorkerService:
    """Answers calls in their order, each before the next is read; tells what happens, and beats."""

    def __init__(self) -> None:
        self.channel = Channel(on_message=self._on_message, answers=True)
        self.channel.closed.add_done_callback(self._on_closed)
        self._worker: MediaWorker | None = None
        self._hello: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[Asked | None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Serve until the end."""
        await asyncio.wait((self._hello, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            return
        asked = self._hello.result()
        worker = await self._open(asked)
        if worker is None:
            await self._flushed()
            return
        pulse = _Pulse(worker)
        while not self._ended.done():
            self._tell(pulse.beat())
            await asyncio.wait((self._ended,), timeout=BEAT_S)
        await worker.stop()
        stop = self._ended.result()
        if stop is not None:
            self._answer(Answer(stop.id))
            await self._flushed()

    async def _open(self, asked: Asked) -> MediaWorker | None:
        hello: Hello = asked.call  # type: ignore[assignment]  # `_on_message` has looked
        if hello.version != VERSION:
            reason = f"this worker speaks version {VERSION}, not {hello.version}"
            self._answer(Answer(asked.id, dump_result(hello, Declined(reason))))
            return None
        key = bytes.fromhex(hello.ice_key)
        try:
            worker = MediaWorker(hello.settings, on_event=self._tell, ice_key=key)
            await worker.start()
        except (NoNativePlane, PortTaken) as error:
            declined = Declined(str(error), port_taken=isinstance(error, PortTaken))
            self._answer(Answer(asked.id, dump_result(hello, declined)))
            return None
        self._worker = worker
        welcome = Welcome(VERSION, worker.port, hello.settings.feed_host)
        self._answer(Answer(asked.id, dump_result(hello, welcome)))
        return worker

    def _on_message(self, message: Message) -> None:
        if not isinstance(message, Asked):
            self.channel.close("a message that is no call")
        elif isinstance(message.call, Hello):
            if self._hello.done():
                self.channel.close("a second hello")
            else:
                self._hello.set_result(message)
        elif self._worker is None:
            self.channel.close("a call before the hello was answered")
        elif isinstance(message.call, Stop):
            if not self._ended.done():
                self._ended.set_result(message)
        else:
            self._answer(self._handle(self._worker, message))

    def _handle(self, worker: MediaWorker, asked: Asked) -> Answer:
        try:
            result = _HANDLERS[type(asked.call)](worker, asked.call)
        except MediaRefusal as refusal:
            return Answer(asked.id, refusal=pack(refusal))
        except Exception as error:  # a bug: the others' streams go on
            name = type(asked.call).__name__
            _logger.exception("a call of the control channel failed", extra={"call": name})
            return Answer(asked.id, fault=f"{name}: {type(error).__name__}")
        return Answer(asked.id, dump_result(asked.call, result))

    def _on_closed(self, closed: asyncio.Future[str]) -> None:
        if not self._ended.done():
            _logger.warning("the control channel is gone", extra={"reason": closed.result()})
            self._ended.set_result(None)

    def _tell(self, told: Told) -> None:
        self._send(told)

    def _answer(self, answer: Answer) -> None:
        self._send(answer)

    def _send(self, message: Message) -> None:
        try:
            self.channel.send(message)
        except ChannelClosed:
            _logger.debug("nobody hears of it", extra={"kind": type(message).__name__})

    async def _flushed(self) -> None:
        self.channel.finish()
        await asyncio.wait((self.channel.closed,), timeout=STOP_PATIENCE_S)


class _Pulse:
    """Makes beats: figures, and rates since the beat before."""

    def __init__(self, worker: MediaWorker) -> None:
        self._worker = worker
        self._busy = BusyMeter()
        self._at, self._packets = time.monotonic(), 0

    def beat(self) -> Beat:
        figures = worker_figures(self._worker, self._busy)
        now, packets = time.monotonic(), _packets(figures)
        per_s = (packets - self._packets) / max(now - self._at, BEAT_S / 2)
        self._at, self._packets = now, packets
        return Beat(figures, per_s, self._worker.viewer_sessions, self._worker.deaf_feeds())


def _packets(figures: WorkerFigures) -> int:
    return figures.totals.packets_forwarded + figures.counters.datagrams["rtp"]
