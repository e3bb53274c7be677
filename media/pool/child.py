"""One worker process: started, watched, started again when it ends unasked, stopped.

The control channel is one end of a socket pair that the child inherits: no name that others could
connect to, and nothing secret among its arguments.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from typing import Final

from config.media import MediaSettings
from media.errors import MediaUnavailable, PortTaken
from media.pool.client import WorkerClient
from media.pool.messages import BEAT_S, VERSION, Declined, Hello, Stop, Told, Welcome

START_PATIENCE_S: Final = 30.0
STOP_PATIENCE_S: Final = 10.0
HUNG_S: Final = 10 * BEAT_S
"""A worker that has told nothing for so long does nothing for its peers either."""
FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 10.0

_logger = logging.getLogger(__name__)


class WorkerFailed(Exception):
    """The process could not be brought to serve."""


class Running:
    """A process that answers."""

    def __init__(self, process: Process, client: WorkerClient, welcome: Welcome) -> None:
        self.process = process
        self.client = client
        self.port = welcome.port
        self.feed_address = (welcome.feed_host, welcome.port)
        """Where other workers reach it."""


class WorkerProcess:
    """Keeps one worker running. The callbacks are called in the loop's thread.

    `on_up` is called when a process answers, `on_told` with what it tells, and `on_down` with the
    reason when it has ended without being asked to; then nothing more is told of that process.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        settings: MediaSettings,
        ice_key: bytes,
        *,
        on_told: Callable[[str, Told], None],
        on_down: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.restarts = 0
        self.running: Running | None = None
        self._command = (*command, "--worker", name)
        self._settings = settings
        self._ice_key = ice_key.hex()
        self._on_told = on_told
        self._on_down = on_down
        self._heard_at = 0.0
        self._port = settings.udp_port
        self._keeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Run it and keep it running. Raises PortTaken, WorkerFailed."""
        self.running = await self._spawn(self._settings)
        self._keeper = asyncio.create_task(self._keep(), name=f"media worker {self.name}")

    async def stop(self) -> None:
        """Let it end its streams and itself; insist when it takes too long."""
        self._is_stopping = True
        running = self.running
        if running is not None:
            with contextlib.suppress(MediaUnavailable):
                await running.client.call(Stop(), timeout_s=STOP_PATIENCE_S)
        if self._keeper is not None:
            if running is None:
                self._keeper.cancel()  # it waits to start another one
            await asyncio.wait((self._keeper,), timeout=STOP_PATIENCE_S)
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))

    async def _keep(self) -> None:
        delay_s = FIRST_DELAY_S
        loop = asyncio.get_running_loop()
        while self.running is not None:
            up_at = loop.time()
            reason = await self._until_down(self.running)
            self.running = None
            if self._is_stopping:
                return
            self.restarts += 1
            _logger.error("a media worker ended", extra={"worker": self.name, "reason": reason})
            self._on_down(self.name, reason)
            if loop.time() - up_at > LONGEST_DELAY_S:
                delay_s = FIRST_DELAY_S
            while self.running is None:
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)
                try:
                    self.running = await self._spawn_again()
                except (OSError, WorkerFailed) as error:
                    _logger.error(
                        "a media worker does not start",
                        extra={"worker": self.name, "reason": str(error), "again_in_s": delay_s},
                    )

    async def _spawn(self, settings: MediaSettings) -> Running:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *("--control-fd", str(theirs.fileno())),
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # the terminal's Ctrl-C reaches only the server
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            return await self._greet(process, ours, settings)
        except BaseException:
            await _end(process)
            raise

    async def _spawn_again(self) -> Running:
        """Where the former one was: its peers still send there, and are told that it is over."""
        port = self._port
        try:
            settings = self._settings.model_copy(update={"udp_port": port})
            return await self._spawn(settings)
        except PortTaken:
            if self._settings.udp_port:
                raise
            return await self._spawn(self._settings)  # it was a free one, and is another's now

    async def _greet(
        self, process: Process, ours: socket.socket, settings: MediaSettings
    ) -> Running:
        loop = asyncio.get_running_loop()
        client = WorkerClient(on_told=self._hear)
        await loop.create_unix_connection(lambda: client.channel, sock=ours)
        self._heard_at = loop.time()
        try:
            welcome = await client.call(
                Hello(VERSION, settings, self._ice_key), timeout_s=START_PATIENCE_S
            )
        except MediaUnavailable:
            raise WorkerFailed("it ended, or hung, before it served; see its log") from None
        if isinstance(welcome, Declined):
            raise (PortTaken if welcome.port_taken else WorkerFailed)(welcome.reason)
        _logger.info(
            "a media worker serves",
            extra={"worker": self.name, "pid": process.pid, "udp": welcome.port},
        )
        self._port = welcome.port
        return Running(process, client, welcome)

    def _hear(self, told: Told) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._on_told(self.name, told)

    async def _until_down(self, running: Running) -> str:
        """Wait until the process is over, or of no use any more and ended; the reason."""
        closed = running.client.channel.closed
        exited = asyncio.ensure_future(running.process.wait())
        try:
            while not exited.done() and not closed.done():
                await asyncio.wait(
                    (exited, closed), timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                silence_s = asyncio.get_running_loop().time() - self._heard_at
                if silence_s > HUNG_S and not self._is_stopping:
                    running.client.channel.close(f"it told nothing for {silence_s:.0f} s")
            if self._is_stopping:
                await asyncio.wait((exited,), timeout=STOP_PATIENCE_S)
            # Its socket tells of its end a moment before its status does.
            await asyncio.wait((exited,), timeout=BEAT_S)
            if not exited.done():
                await _end(running.process)
                return closed.result()
            # What it wrote before its end is still to be read.
            await asyncio.wait((closed,), timeout=BEAT_S)
            return _exit_reason(await exited)
        finally:
            running.client.channel.close("it ended")
            if not exited.done():
                await _end(running.process)
                exited.cancel()


def _exit_reason(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
