"""A real streaming replica of the tests' PostgreSQL, over a line that can be cut."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from server.backup.tools import Tools
from server.database import create_pool
from server.embedded.account import Account, store_account
from server.embedded.child import Child, ChildSpec, free_port
from server.embedded.postgres import EmbeddedPostgres, installation
from tests.support.line import Line


@dataclass(frozen=True, slots=True)
class Standby:
    """`line` is what it streams over, `pool` reads from it."""

    line: Line
    pool: asyncpg.Pool
    admin_url: str

    async def promote(self) -> None:
        """Have it take writes itself, and return once it does."""
        admin = await asyncpg.connect(self.admin_url)
        await admin.execute("SELECT pg_promote()")
        await admin.close()


@asynccontextmanager
async def running_standby(
    primary: EmbeddedPostgres, database_url: str, folder: Path
) -> AsyncIterator[Standby]:
    """`folder`: where the stores' account can enter."""
    account, port = store_account(), free_port()
    account.own(folder)
    admin_url = _at(primary.admin_url, port)
    async with Line(primary.admin_url) as line:
        copy = [f"--pgdata={folder / 'cluster'}", "--write-recovery-conf", "--checkpoint=fast"]
        await Tools(None).run("pg_basebackup", copy, line.url)
        await asyncio.to_thread(_hand_over, folder / "cluster", account)
        binaries = account.reachable(installation(), folder / "binaries") / "bin"
        command = (
            *(str(binaries / "postgres"), f"-D{folder / 'cluster'}", f"-p{port}"),
            *("-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cfsync=off"),
            *("-cshared_buffers=32MB", "-cwal_retrieve_retry_interval=200ms"),
        )
        child = Child(
            ChildSpec(
                name="standby",
                command=command,
                account=account,
                log=folder / "log",
                stop_signal=signal.SIGINT,
                kill_signal=signal.SIGQUIT,
            )
        )
        try:
            await child.until_ready(lambda: _answers(admin_url), 60)
            pool = await create_pool(_at(database_url, port), size=2, least=0)
            yield Standby(line, pool, admin_url)
            pool.terminate()
        finally:
            await child.stop()


def _at(url: str, port: int) -> str:
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


def _hand_over(cluster: Path, account: Account) -> None:
    cluster.chmod(0o700)
    if account.uid is not None and account.gid is not None:
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


async def _answers(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    await connection.close()
