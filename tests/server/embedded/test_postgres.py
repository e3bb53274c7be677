"""The embedded PostgreSQL."""

from pathlib import Path

import asyncpg
import pytest

from server.embedded.account import store_account
from server.embedded.child import ChildFailed
from server.embedded.folder import DataFolder
from server.embedded.postgres import (
    PUT_ASIDE,
    UNFINISHED,
    EmbeddedPostgres,
    memory_bytes,
    shared_buffers,
)
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


async def test_what_a_killed_recovery_left_is_not_started(data_dir: Path) -> None:
    def cluster(name: str, *files: str) -> Path:
        (data_dir / name).mkdir()
        for file in files:
            (data_dir / name / file).touch()
        return data_dir / name

    postgres = EmbeddedPostgres(DataFolder(data_dir), store_account())
    whole = cluster(f"{PUT_ASIDE}20260131T120000Z", "PG_VERSION")
    cluster(f"{PUT_ASIDE}20260131T130000Z", "PG_VERSION", UNFINISHED)
    with pytest.raises(ChildFailed, match=f"postgres is not there, .* put {whole} back"):
        await postgres.start()  # no empty ledger in place of the one that there was
    cluster("postgres", "PG_VERSION", UNFINISHED)
    with pytest.raises(ChildFailed, match=f"did not end.* `sociallive restore --at` .* {whole}"):
        await postgres.start()
    assert not (data_dir / "postgres.log").exists()


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
