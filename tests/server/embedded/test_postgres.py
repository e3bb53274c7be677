"""The embedded PostgreSQL."""

from pathlib import Path

import asyncpg
import pytest

from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres, memory_bytes, shared_buffers
from server.embedded.redis import EmbeddedRedis


@pytest.mark.slow
async def test_data_is_found_again_and_nothing_comes_from_path(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    folder = DataFolder(data_dir)
    for start in range(2):
        postgres = EmbeddedPostgres(folder, store_account())
        await postgres.start()
        connection = await asyncpg.connect(postgres.url)
        if start == 0:
            await connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        assert await connection.fetchval("SELECT n FROM kept") == 42
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        pages = await connection.fetchval(
            "SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'"
        )
        assert f"{pages * 8 // 1024}MB" == shared_buffers(memory_bytes())
        await connection.close()
        await postgres.stop()
    folder.release()


@pytest.mark.parametrize(
    ("memory_gib", "buffers"), [(0.25, "128MB"), (1, "256MB"), (3, "768MB"), (64, "1024MB")]
)
def test_a_quarter_of_the_memory_is_for_pages(memory_gib: float, buffers: str) -> None:
    assert shared_buffers(round(memory_gib * 2**30)) == buffers


async def test_only_the_password_opens_it(stores: tuple[EmbeddedPostgres, EmbeddedRedis]) -> None:
    url = stores[0].url
    secret = url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace(secret, "guess"))
