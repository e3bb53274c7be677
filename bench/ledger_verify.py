"""How fast the evidence of a ledger is made and checked: entries a second, and memory.

    python -m bench.ledger_verify [gifts]

A ledger of so many gifts (three entries and a request each, a thousand to a batch, 10,000 payers,
500 streamers) is written straight into the tables, its chain is made from nothing as after a long
stop, and the whole is verified: every check of `sociallive ledger verify`. Server and verifier
share the machine.
"""

import argparse
import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop

from bench.ledger.server import open_folder
from bench.report import Figure, report
from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Verifier
from ledger.store.evidence import EvidenceStore
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.migrations import migrate

GIFTS = 1_000_000
PAYERS = 10_000
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

HISTORY = Path(__file__).with_name("ledger_verify.sql")


@asynccontextmanager
async def ledger_of(gifts: int) -> AsyncIterator[tuple[asyncpg.Pool, Path]]:
    """A server with such a ledger."""
    with open_folder() as path:
        folder = DataFolder(path)
        await folder.acquire()
        postgres = EmbeddedPostgres(folder, store_account())
        await postgres.start()
        try:
            connection = await asyncpg.connect(postgres.url)
            await migrate(connection)
            await connection.close()
            await _fill(postgres, gifts)
            pool = await create_pool(postgres.url)
            yield pool, path
            pool.terminate()
        finally:
            await postgres.stop()
            folder.release()


async def _fill(postgres: EmbeddedPostgres, gifts: int) -> None:
    database = f"{postgres.admin_url.rpartition('/')[0]}/sociallive"
    root = await asyncpg.connect(database, command_timeout=3600)
    # Nothing is refused here, as the verification is what is measured.
    await root.execute("SET session_replication_role = replica; SET work_mem = '256MB'")
    history = await asyncio.to_thread(HISTORY.read_text, "utf-8")
    fields = {"gifts": gifts, "each": gifts // PAYERS + 1, "day": FIRST_DAY.isoformat()}
    await root.execute(history.format(**fields))
    await root.execute("VACUUM ANALYZE")
    await root.close()


async def measure(gifts: int = GIFTS) -> list[Figure]:
    """Every figure of this bench."""
    async with ledger_of(gifts) as (pool, _):
        store = EvidenceStore(pool)
        chainer = Chainer(store, EvidenceSettings(), clock=lambda: datetime.now(UTC))
        started = time.perf_counter()
        await chainer.catch_up()
        chained_s = time.perf_counter() - started
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        found = await Verifier(store, keys={}, now=datetime.now(UTC)).verify()
        verified_s = time.perf_counter() - started
        if not found.sound:
            raise SystemExit(f"the ledger is not sound: {found.findings[0]}")
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    name = f"of {found.entries:,} entries"
    return [
        Figure(f"entries verified, {name}", found.entries / verified_s, "1/s", better="more"),
        Figure(f"entries chained, {name}", found.entries / chained_s, "1/s", better="more"),
        Figure("memory added by the verification", grown_kb / 1024, "MiB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Rate of chaining and verifying.")
    parser.add_argument("gifts", type=int, nargs="?", default=GIFTS)
    report("ledger_verify", uvloop.run(measure(parser.parse_args().gifts)))
