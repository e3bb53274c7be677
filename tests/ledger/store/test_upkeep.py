from uuid import uuid4

import asyncpg

from config.ledger import LedgerSettings
from ledger.store import LedgerStore
from server.database import create_pool
from server.grants import apply_grants

MONTHS = """
SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.posting_entries'::regclass
"""


async def test_missing_months_are_made_once_by_the_role_that_may_make_no_table(
    pool: asyncpg.Pool, database_url: str, stores, settings: LedgerSettings
) -> None:
    owner = await asyncpg.connect(database_url)
    await apply_grants(owner)
    last = await owner.fetchval(
        "SELECT 'ledger.posting_entries_' || to_char(now() AT TIME ZONE 'UTC'"
        " + interval '3 months', 'YYYY_MM')"
    )
    await owner.execute(f"DROP TABLE {last}")
    months = await owner.fetchval(MONTHS)
    name = database_url.rpartition("/")[2]
    app = await create_pool(f"{stores[0].app_url.rpartition('/')[0]}/{name}")
    upkeep = LedgerStore(app, settings).upkeep
    assert await upkeep.make_months_ahead() == 1
    assert await upkeep.make_months_ahead() == 0
    assert await owner.fetchval(MONTHS) == months + 1
    triggers = f"SELECT count(*) FROM pg_trigger WHERE tgrelid = '{last}'::regclass"
    assert await owner.fetchval(triggers) >= 2
    app.terminate()
    await owner.close()


async def test_rows_without_a_month_are_counted(
    pool: asyncpg.Pool, settings: LedgerSettings
) -> None:
    upkeep = LedgerStore(pool, settings).upkeep
    assert await upkeep.strays() == 0
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " VALUES (1, 1, 1, '2001-01-31T12:00Z', '[]')"
    )
    await pool.execute(
        "INSERT INTO ledger.gift_entries VALUES"
        " (1, '2001-01-31T12:00Z', 1, 0, 1, 0, 2, 1, NULL, NULL, $1, $1, $1, NULL, 'Rose')",
        uuid4(),
    )
    assert await upkeep.strays() == 2
