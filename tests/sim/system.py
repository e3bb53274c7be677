"""The system under test: both stores, the ways to them, the processes between, and the bank."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from server.embedded.account import store_account
from server.embedded.child import ChildFailed, free_port
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.migrations import migrate
from tests.sim.bank import Bank
from tests.support.fault_proxy import Address, FaultProxy, postgres_request

READY_PATIENCE_S = 30
RESTART_PAUSE_S = 0.1


def address(url: str) -> Address:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def over(url: str, port: int) -> str:
    """The same store through another port."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()


def kill_tree(pid: int) -> None:
    """kill -9 of a process and its children, who may have sessions of their own."""
    os.kill(pid, signal.SIGSTOP)  # so that it has no more children than we see
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


class Node:
    """One process of ours."""

    def __init__(self, role: str, settings: dict[str, Any], log: Path) -> None:
        self.role = role
        self.settings = settings
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.sim.node", self.role),
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self.settings).encode() + b"\n")

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class System:
    """Two writers, two publishers, two readers, over proxies to PostgreSQL and Redis."""

    def __init__(
        self, path: Path, server_settings: dict[str, str] | None = None, seed: int = 0
    ) -> None:
        self._folder = DataFolder(path)
        account = store_account()
        self.postgres = EmbeddedPostgres(self._folder, account, server_settings)
        self.redis = EmbeddedRedis(self._folder, account)
        self.to_postgres = FaultProxy(lambda: address(self.postgres.url), postgres_request)
        self.to_redis = FaultProxy(lambda: address(self.redis.url))
        self.bank = Bank(seed)
        self.nodes: list[Node] = []

    @property
    def writer_ports(self) -> list[int]:
        return [node.settings["port"] for node in self.nodes if node.role == "writer"]

    async def start(self) -> None:
        await self._folder.acquire()
        await self.postgres.start()
        await self.redis.start()
        connection = await asyncpg.connect(self.postgres.url)
        await migrate(connection)
        await connection.close()
        await self.to_postgres.mend()
        await self.to_redis.mend()
        await self.bank.serve()
        urls = {
            "bank_url": self.bank.url,
            "database_url": over(self.postgres.url, self.to_postgres.port),
            "redis_url": over(self.redis.url, self.to_redis.port),
        }
        for role in ("writer", "writer", "publisher", "publisher", "reader", "reader"):
            settings = {**urls, "port": free_port()}
            node = Node(role, settings, self._folder.path / f"{role}.log")
            self.nodes.append(node)
            await node.start()

    async def stop(self) -> None:
        for node in self.nodes:
            await node.kill()
        await self.bank.close()
        await self.to_postgres.cut()
        await self.to_redis.cut()
        await self.redis.stop()
        await self.postgres.stop()
        self._folder.release()

    async def crash_postgres(self) -> None:
        """kill -9, and a new start over what is left."""
        await self._crash(self.postgres)

    async def crash_redis(self) -> None:
        await self._crash(self.redis)

    @staticmethod
    async def crash_node(node: Node) -> None:
        await node.kill()
        await node.start()

    async def _crash(self, store: EmbeddedPostgres | EmbeddedRedis) -> None:
        kill_tree(store.pid)
        await store.ended()
        async with asyncio.timeout(READY_PATIENCE_S):
            while True:
                try:
                    await store.start()
                except ChildFailed:  # what is left of the old one has not gone yet
                    await asyncio.sleep(RESTART_PAUSE_S)
                else:
                    return
