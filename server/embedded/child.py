"""A child process with a log file: started, watched, asked to stop, ended."""

import asyncio
import contextlib
import ctypes
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.embedded.account import Account

PR_SET_PDEATHSIG = 1
LOG_TAIL_BYTES = 2000


class ChildFailed(Exception):
    """A child process ended or was not ready in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to run one child and how to end it."""

    name: str
    command: tuple[str, ...]
    account: Account
    log: Path
    stop_signal: signal.Signals
    kill_signal: signal.Signals = signal.SIGKILL
    stop_patience_s: float = 20.0
    stdin: bytes | None = None
    """Configuration fed to the child, so that no secret stands in the process list."""


class Child:
    """One running child; it gets its stop signal even when this process is killed."""

    def __init__(self, spec: ChildSpec, pass_fds: Sequence[int] = ()) -> None:
        """Run `spec` in a session of its own: the terminal's Ctrl-C reaches only the server.

        To be called from the main thread, whose end is what the child's death signal tells of.
        """
        self._spec = spec
        with spec.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                spec.command,
                stdin=subprocess.DEVNULL if spec.stdin is None else subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=_parent_death_signal(spec.stop_signal),  # noqa: PLW1509
                pass_fds=tuple(pass_fds),
                user=spec.account.uid,
                group=spec.account.gid,
                extra_groups=None if spec.account.uid is None else [],
            )
        if self._process.stdin is not None:
            self._process.stdin.write(spec.stdin or b"")
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def until_ready(self, probe: Callable[[], Awaitable[object]], patience_s: float) -> None:
        """Return once `probe` stops raising.

        Raises ChildFailed when the process ends first or `patience_s` is over.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                await probe()
            except Exception as error:
                if self._process.poll() is not None:
                    raise ChildFailed(self._report("ended at start")) from None
                if loop.time() > deadline:
                    raise ChildFailed(self._report(f"is not ready: {error}")) from error
                await asyncio.sleep(0.05)
            else:
                return

    async def wait(self) -> int:
        """The exit status, once it has ended by itself."""
        return await asyncio.to_thread(self._process.wait)

    async def stop(self) -> None:
        """Ask it to stop, then insist."""
        for wanted in (self._spec.stop_signal, self._spec.kill_signal, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            self._process.send_signal(wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, self._spec.stop_patience_s)

    def _report(self, what: str) -> str:
        tail = self._spec.log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return f"{self._spec.name} {what}. The end of {self._spec.log}:\n{tail}"


def free_port() -> int:
    """A TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _parent_death_signal(wanted: signal.Signals) -> Callable[[], None]:
    """prctl(2) PR_SET_PDEATHSIG, to run in the child after it changed its user."""
    libc = ctypes.CDLL(None)  # loaded before the fork

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(wanted), 0, 0, 0)

    return set_signal
