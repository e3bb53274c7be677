"""End to end: a ledger is backed up, restored elsewhere, and goes on."""

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
from server.backup.restore import RestoredWrongly, RestoreRefused, restore_backup
from server.backup.tools import Tools
from server.bus import STREAM_KEY
from server.database import create_pool
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
        " AND rolname LIKE 'sociallive\\__%' GROUP BY 1"
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
