"""Transactions: all or nothing, and outages by their name."""

import asyncpg
import pytest

from ledger.errors import LedgerBusy
from ledger.event_store.database import Database, values_of


async def test_all_or_nothing(database):
    async def stopped():
        async with database.transaction() as transaction:
            await transaction.execute("CREATE TABLE public.kept (n integer)")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await stopped()
    assert await database.first("SELECT to_regclass('public.kept') AS name") == (None,)
    async with database.transaction() as transaction:
        await transaction.execute("CREATE TABLE public.kept (n integer)")
        assert await transaction.execute("INSERT INTO public.kept VALUES (1), (2)") == 2
        assert await transaction.first("SELECT n FROM public.kept WHERE n = 3") is None
    rows = await database.fetch("SELECT n FROM public.kept ORDER BY n")
    assert [values_of(row) for row in rows] == [{"n": 1}, {"n": 2}]


async def test_a_pool_without_connections_and_a_slow_statement_are_busy(pool):
    impatient = Database(pool, acquire_timeout_s=0.05, statement_timeout_s=0.05)
    with pytest.raises(LedgerBusy):
        await impatient.fetch("SELECT pg_sleep(5)")
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    with pytest.raises(LedgerBusy):
        await impatient.fetch("SELECT 1")
    for connection in held:
        await pool.release(connection)


async def test_a_standby_that_takes_no_writes_is_away(database):
    async def written():
        async with database.transaction() as transaction:
            await transaction.execute("SET TRANSACTION READ ONLY")
            await transaction.execute("CREATE TABLE public.never (n integer)")

    with pytest.raises(LedgerBusy):
        await written()


async def test_a_mistake_of_ours_is_not_called_an_outage(database):
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("SELECT nothing FROM nowhere")
