import asyncpg

from ledger.service import LedgerService
from server.backup.ledger_figures import ledger_faults, ledger_figures


async def test_a_sound_ledger_adds_up(ledger: LedgerService, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        figures = await ledger_figures(connection)
        assert figures.transactions == 11
        assert figures.entries == 2 + 10 * 3
        assert figures.sequence > 0
        assert await ledger_faults(connection) == []


async def test_a_changed_balance_is_found(ledger: LedgerService, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(
            "UPDATE ledger.accounts SET balance_minor = balance_minor + 1 WHERE code = 'wallet'"
        )
        [fault] = await ledger_faults(connection)
    assert fault == "1 accounts have another balance than their entries"


async def test_a_changed_entry_is_found(ledger: LedgerService, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("ALTER TABLE ledger.posting_entries DISABLE TRIGGER USER")
        for (partition,) in await connection.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'ledger.posting_entries'::regclass"
        ):
            await connection.execute(f"ALTER TABLE {partition} DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE ledger.posting_entries SET amount_minor = amount_minor + 1"
            " WHERE entry_id = (SELECT max(entry_id) FROM ledger.posting_entries)"
        )
        assert len(await ledger_faults(connection)) == 2
