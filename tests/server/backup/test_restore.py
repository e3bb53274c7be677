"""End to end: a ledger is backed up, restored elsewhere, and goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from config.ledger import LedgerSettings
from ledger.evidence.verify import Verifier
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from server.backup.make import make_backup
from server.backup.manifest import DUMP, BackupDamaged, read_manifest, write_manifest
from server.backup.restore import (
    RestoredWrongly,
    RestoreRefused,
    restore_backup,
    without_policies,
)
from server.backup.tools import Tools
from server.bus import STREAM_KEY
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import APP, READER, EmbeddedPostgres
from server.grants import FUNCTIONS_OF_VIEWS, apply_grants
from tests.server.backup.conftest import ADA, BO, Silent, gift


@pytest.fixture
async def backup(ledger: LedgerService, database_url: str, tmp_path: Path, tools: Tools) -> Path:
    await make_backup(database_url, tmp_path / "backup", tools)
    return tmp_path / "backup"


async def test_a_restored_ledger_is_the_same_and_goes_on(
    ledger: LedgerService, backup: Path, empty_url: str, redis: Redis, tools: Tools
) -> None:
    await gift(ledger)  # after the backup: not in it
    manifest = await restore_backup(empty_url, redis, backup, tools, force=False)
    assert manifest.ledger_transactions == 11
    pool = await create_pool(empty_url)
    settings = LedgerSettings()
    restored = LedgerService(
        settings, LedgerStore(pool, settings), wake=lambda: None, observer=Silent()
    )
    assert (await restored.wallet(ADA)).balance_minor == 900
    assert (await restored.wallet(BO)).earnings_minor == 70
    assert (await restored.trial_balance()).balanced
    await gift(restored)
    assert (await restored.wallet(ADA)).balance_minor == 890
    with pytest.raises(asyncpg.RestrictViolationError):  # triggers came along
        await pool.execute("DELETE FROM ledger.posting_entries")
    assert not await pool.fetchval(  # and the grants were made anew
        "SELECT has_table_privilege('sociallive_app', 'ledger.posting_entries', 'UPDATE')"
    )
    open_to = await pool.fetch(
        "SELECT rolname, bool_or(has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS may"
        " FROM pg_proc p, pg_roles r WHERE prosecdef AND pronamespace = 'ledger'::regnamespace"
        " AND 'ledger.' || proname <> ALL($1) AND rolname LIKE 'sociallive\\__%' GROUP BY 1",
        FUNCTIONS_OF_VIEWS,
    )
    assert dict(open_to) == {"sociallive_app": True, "sociallive_reader": False}
    pool.terminate()


async def test_what_the_dump_held_unchained_is_chained(
    backup: Path, empty_url: str, redis: Redis, tools: Tools
) -> None:
    await restore_backup(empty_url, redis, backup, tools, force=False)
    pool = await create_pool(empty_url)
    later = datetime.now(UTC) + timedelta(minutes=1)
    report = await Verifier(EvidenceStore(pool), keys={}, now=later).verify()
    assert (report.findings, report.batches, report.unchained) == ((), 11, 0)
    pool.terminate()


@pytest.mark.slow
async def test_a_database_without_the_roles_takes_it(
    ledger: LedgerService,
    database_url: str,
    redis: Redis,
    tools: Tools,
    data_dir: Path,
) -> None:
    owner = await asyncpg.connect(database_url)
    assert await apply_grants(owner)  # as in a server: the tables have policies for the roles
    await make_backup(database_url, data_dir / "backup", tools)
    async with bare_server(data_dir / "bare") as bare_url:
        await restore_backup(bare_url, redis, data_dir / "backup", tools, force=False)
        restored = await asyncpg.connect(bare_url)
        for query, found in ((ACCOUNTS, await owner.fetchval(ACCOUNTS)), (POLICIES, 0)):
            assert await restored.fetchval(query) == found
        await restored.close()
    await owner.close()


ACCOUNTS = "SELECT count(*) FROM ledger.accounts"
POLICIES = "SELECT count(*) FROM pg_policies"


@asynccontextmanager
async def bare_server(path: Path) -> AsyncIterator[str]:
    """A database of somebody who made no roles for the product but the owner."""
    folder = DataFolder(path)
    await folder.acquire()
    postgres = EmbeddedPostgres(folder, store_account(), {"fsync": "off"})
    try:
        await postgres.start()
        admin = await asyncpg.connect(postgres.admin_url)
        await admin.execute(f"DROP ROLE {APP}, {READER}")
        await admin.close()
        yield postgres.url
    finally:
        await postgres.stop()
        folder.release()


def test_policies_that_are_not_ours_are_restored() -> None:
    entries = """;
; Archive created at 2026-11-27 19:02:11 UTC
4711; 3256 16400 POLICY ledger accounts app_works sociallive
4712; 3256 16401 POLICY ledger holds reader_sees_own sociallive
4713; 3256 16402 POLICY ledger holds auditors sociallive
4714; 3256 16403 POLICY other holds app_works sociallive
4715; 0 16390 ROW SECURITY ledger accounts sociallive
4716; 0 16391 TABLE DATA ledger accounts sociallive
"""
    left = [line.split(";")[0] for line in without_policies(entries).splitlines()]
    assert left == ["", "", "4713", "4714", "4715", "4716"]


async def test_a_database_that_holds_something_is_left_alone(
    backup: Path, database_url: str, pool: asyncpg.Pool, redis: Redis, tools: Tools
) -> None:
    before = await pool.fetchval("SELECT count(*) FROM ledger.transactions")
    with pytest.raises(RestoreRefused, match="not empty: it has compliance"):
        await restore_backup(database_url, redis, backup, tools, force=False)
    assert await pool.fetchval("SELECT count(*) FROM ledger.transactions") == before


async def test_with_force_it_is_replaced(
    ledger: LedgerService,
    backup: Path,
    database_url: str,
    pool: asyncpg.Pool,
    redis: Redis,
) -> None:
    await gift(ledger)
    for key in (STREAM_KEY, f"{STREAM_KEY}:at:aml", f"{STREAM_KEY}:dead:aml", "other"):
        await redis.set(key, "of a future that is gone")
    await restore_backup(database_url, redis, backup, Tools(None), force=True)
    assert await pool.fetchval("SELECT count(*) FROM ledger.transactions") == 11
    assert set(await redis.keys()) == {f"{STREAM_KEY}:dead:aml".encode(), b"other"}


async def test_a_dump_that_fails_leaves_everything(
    backup: Path, database_url: str, pool: asyncpg.Pool, redis: Redis, tools: Tools
) -> None:
    (backup / DUMP).write_bytes((backup / DUMP).read_bytes()[:-2_000])
    with pytest.raises(BackupDamaged):
        await restore_backup(database_url, redis, backup, tools, force=True)
    assert await pool.fetchval("SELECT count(*) FROM ledger.transactions") == 11


async def test_a_newer_backup_is_refused(
    backup: Path, empty_url: str, redis: Redis, tools: Tools
) -> None:
    manifest = read_manifest(backup)
    write_manifest(backup, replace(manifest, migrations=[*manifest.migrations, "ledger/9999"]))
    with pytest.raises(RestoreRefused, match="ledger/9999"):
        await restore_backup(empty_url, redis, backup, tools, force=False)


async def test_what_was_restored_is_compared_with_the_manifest(
    backup: Path, empty_url: str, redis: Redis, tools: Tools
) -> None:
    write_manifest(backup, replace(read_manifest(backup), ledger_transactions=12))
    with pytest.raises(RestoredWrongly, match="12"):
        await restore_backup(empty_url, redis, backup, tools, force=False)
