"""The embedded Redis."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis


async def test_data_is_found_again_and_nothing_comes_from_path(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    folder = DataFolder(data_dir)
    for start in range(2):
        server = EmbeddedRedis(folder, store_account())
        await server.start()
        async with Redis.from_url(server.url) as client:
            if start == 0:
                await client.set("kept", "42")
            assert await client.get("kept") == b"42"
            assert await client.config_get("appendfsync") == {"appendfsync": "everysec"}
            assert await client.config_get("appendonly") == {"appendonly": "yes"}
            rewrite = await client.config_get("auto-aof-rewrite-min-size")
            assert rewrite == {"auto-aof-rewrite-min-size": str(512 * 2**20)}
        await server.stop()
    folder.release()


async def test_only_the_password_opens_it(stores: tuple[EmbeddedPostgres, EmbeddedRedis]) -> None:
    _, _, port = stores[1].url.rpartition(":")
    async with Redis.from_url(f"redis://127.0.0.1:{port}") as client:
        with pytest.raises(AuthenticationError):
            await client.ping()
