"""The other end of `bench.media.server`: a blocking client, and the process itself."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Control:
    """Asks the server, one question at a time."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._lines = self._socket.makefile("r")

    def ask(self, question: str, argument: object = None) -> dict[str, Any]:
        """The server's answer. Raises ConnectionError when it is gone."""
        self._socket.sendall(json.dumps({question: argument}).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the server is gone")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True)
class ServerProcess:
    """A running server: where it listens, and what it costs."""

    path: str
    pid: int

    def cpu_s(self) -> float:
        """CPU time of the process up to now, the kernel's work on its behalf included."""
        return cpu_s(self.pid)

    def memory_bytes(self) -> int:
        """Resident memory that belongs to it alone."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        sizes = [line.split() for line in rollup.splitlines()[1:]]
        return sum(int(size[1]) * 1024 for size in sizes if size[0].startswith("Private_"))


def cpu_s(pid: int) -> float:
    """CPU time of a process up to now, in seconds (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(**settings: object) -> Iterator[ServerProcess]:
    """A server with these media settings while the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/control"
        given = [f"{name}={json.dumps(value)}" for name, value in settings.items()]
        command = [sys.executable, "-m", "bench.media.server", path, *given]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit("the server did not start")
            try:
                yield ServerProcess(path, process.pid)
            finally:
                process.terminate()
