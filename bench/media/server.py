"""The server under test: a media worker in a process of its own, driven over a Unix socket.

    python -m bench.media.server SOCKET [SETTING=JSON ...]

One JSON object a line in, one out: `publish` and `watch` take an offer and give the answer,
`figures` gives what the worker counted, and how late its event loop was since the last time if
`sample_lag` was asked for.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import uvloop

from bench.media.loop_lag import LoopLag
from config.media import MediaSettings
from media.prompt import promptly
from media.relay.relay_times import RelayTimes
from media.worker import MediaWorker

STREAM = UUID(int=1)
PUBLISHER = UUID(int=2)


class Server:
    """Answers requests until its socket's peer says `quit`."""

    def __init__(self, worker: MediaWorker) -> None:
        self._worker = worker
        self._lag: LoopLag | None = None
        self._times = RelayTimes()
        self._ended = asyncio.Event()
        self._answers: dict[str, Callable[[Any], dict[str, Any]]] = {
            "publish": lambda offer: {
                "answer": worker.publish(STREAM, PUBLISHER, offer).answer,
            },
            "watch": lambda offer: {"answer": worker.watch(STREAM, offer).answer},
            "figures": lambda _: self._figures(),
            "sample_lag": lambda _: self._sample_lag(),
            "quit": lambda _: self._quit(),
        }

    async def serve(self, path: str) -> None:
        """Answer until told to quit."""
        server = await asyncio.start_unix_server(self._talk, path, limit=1 << 20)
        print("ready", flush=True)
        await self._ended.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                ((name, argument),) = json.loads(line).items()
                writer.write(json.dumps(self._answers[name](argument)).encode() + b"\n")
                await writer.drain()
        writer.close()

    def _figures(self) -> dict[str, Any]:
        totals = self._worker.totals()
        return {
            "forwarded": totals.packets_forwarded,
            "dropped": totals.packets_dropped,
            "watching": self._worker.viewers(STREAM),
            "lag_ms": self._lag.take_ms() if self._lag else {},
            "relay_ms": relay_ms(self._take_times()),
        }

    def _take_times(self) -> RelayTimes:
        """The relay times since the last time."""
        before, self._times = self._times, self._worker.relay_times()
        return self._times - before

    def _sample_lag(self) -> dict[str, Any]:
        """From now on: it has a price, and so is not in runs that ask for costs."""
        self._lag = LoopLag()
        return {}

    def _quit(self) -> dict[str, Any]:
        self._ended.set()
        return {}


def relay_ms(times: RelayTimes) -> dict[str, float]:
    """Time from a packet's arrival to the last viewer's send, where the plane measures it."""
    if not times.count:
        return {}
    return {"p50": times.quantile_s(0.5) * 1000, "p99": times.quantile_s(0.99) * 1000}


async def main(path: str, settings: dict[str, Any]) -> None:
    """Run one worker on a free port."""
    worker = MediaWorker(MediaSettings(udp_port=0, **settings), on_event=lambda _: None)
    await worker.start()
    try:
        await Server(worker).serve(path)
    finally:
        await worker.stop()


if __name__ == "__main__":
    given = (argument.split("=", 1) for argument in sys.argv[2:])
    with promptly():  # as server.media_process does
        uvloop.run(main(sys.argv[1], {name: json.loads(value) for name, value in given}))
