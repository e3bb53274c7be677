"""Restoring a backup: checksums, an empty target, one transaction, and a look at the ledger.

Redis holds no money and is not in a backup: people sign in again, and the event stream goes on
from the restored log. What the stream holds of a future that is gone is removed.
"""

import tempfile
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from config.ledger import EvidenceSettings
from server.backup.ledger_figures import LedgerFigures, ledger_faults, ledger_figures
from server.backup.manifest import DUMP, Manifest, read_manifest
from server.backup.tools import Tools
from server.bus.stream import STREAM_KEY
from server.catch_up import chain_what_waits_at
from server.database import connect_patiently
from server.grants import POLICIES, apply_grants
from server.migrations import DOMAINS, migrate, migrations

LEFTOVERS = (STREAM_KEY, f"{STREAM_KEY}:at:*", f"{STREAM_KEY}:returned:*")


class RestoreRefused(Exception):
    """Nothing was changed; the message says why."""


class RestoredWrongly(Exception):
    """What was restored is not what was backed up; the message says in what."""


async def restore_backup(
    url: str,
    redis: Redis,
    backup: Path,
    tools: Tools,
    *,
    force: bool,
    evidence: EvidenceSettings | None = None,
) -> Manifest:
    """Fill the database at `url` from `backup`; `force` replaces what it holds.

    A dump holds batches that were not chained yet: they are, by the settings `evidence`.

    Raises BackupDamaged, RestoreRefused, ToolFailed (nothing was changed), RestoredWrongly, OSError
    or asyncpg.PostgresError.
    """
    manifest = read_manifest(backup)
    _known(manifest)
    connection = await connect_patiently(url)
    try:
        if not force and (found := await _schemas(connection)):
            raise RestoreRefused(
                f"The database is not empty: it has {', '.join(found)}. Restore into an empty one, "
                "or with --force to replace what is there."
            )
        await _load(url, backup / DUMP, tools)
        await migrate(connection)  # a backup of an older version
        await apply_grants(connection)
        await _check(connection, manifest)
    finally:
        await connection.close()
    await chain_what_waits_at(url, evidence or EvidenceSettings())
    await forget_the_future(redis)
    return manifest


async def forget_the_future(redis: Redis) -> None:
    """Remove what the event stream holds: some of it may not be in the restored log."""
    for pattern in LEFTOVERS:
        async for key in redis.scan_iter(match=pattern):
            await redis.delete(key)


def _known(manifest: Manifest) -> None:
    known = {each.key for each in migrations()}
    if newer := sorted(set(manifest.migrations) - known):
        raise RestoreRefused(
            f"The backup was made by version {manifest.version}, which had {', '.join(newer)}. "
            "Restore it with that version or a newer one."
        )


async def _schemas(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1::text[]) ORDER BY 1", [*DOMAINS]
    )
    return [row["nspname"] for row in rows]


async def _load(url: str, dump: Path, tools: Tools) -> None:
    """All of it in one transaction: a fault leaves everything as it was."""
    entries = await tools.output("pg_restore", ["--list", str(dump)])
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape") as wanted:
        wanted.write(without_policies(entries))
        wanted.flush()
        await _load_entries(url, dump, Path(wanted.name), tools)


def without_policies(entries: str) -> str:
    """A list of `pg_restore --list`, but for the policies that the grants make.

    They name roles, which are not in a dump: a database of another server may not have them.
    """

    def is_ours(entry: str) -> bool:  # 4711; 3256 16400 POLICY ledger accounts app_works sociallive
        match entry.split():
            case [_, _, _, "POLICY", schema, _, policy, *_]:
                return schema in DOMAINS and policy in POLICIES
        return False

    return "".join(each for each in entries.splitlines(keepends=True) if not is_ours(each))


async def _load_entries(url: str, dump: Path, wanted: Path, tools: Tools) -> None:
    dropped = "".join(f"DROP SCHEMA IF EXISTS {domain} CASCADE; " for domain in DOMAINS)
    await tools.pipe(
        [
            tools.path("pg_restore"),
            "--no-owner",
            "--no-privileges",
            f"--use-list={wanted}",
            "--file=-",
            str(dump),
        ],
        "psql",
        [
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            f"--command={dropped}DROP TABLE IF EXISTS public.schema_migrations",
            "--file=-",
        ],
        url,
    )


async def _check(connection: asyncpg.Connection, manifest: Manifest) -> None:
    expected = LedgerFigures(
        manifest.ledger_sequence, manifest.ledger_transactions, manifest.ledger_entries
    )
    faults = await ledger_faults(connection)
    if (found := await ledger_figures(connection)) != expected:
        faults.append(f"the ledger holds {found}, the backup {expected}")
    if faults:
        raise RestoredWrongly("; ".join(faults))
