"""Figures of the ledger by which a backup and what was restored from it are compared."""

from dataclasses import dataclass

import asyncpg

FIGURES = """
SELECT coalesce((SELECT max(sequence) FROM ledger.event_log), 0) AS sequence,
       (SELECT count(*) FROM ledger.transactions) AS transactions,
       (SELECT count(*) FROM ledger.journal_entries) AS entries
"""

WRONG_BALANCES = """
SELECT count(*) FROM ledger.accounts a
LEFT JOIN (
    SELECT account_id, sum(amount_minor) AS balance_minor
    FROM ledger.journal_entries GROUP BY account_id
) e USING (account_id)
WHERE a.balance_minor <> coalesce(e.balance_minor, 0)
"""

WRONG_TRANSACTIONS = """
SELECT count(*) FROM (
    SELECT FROM ledger.journal_entries e JOIN ledger.accounts a USING (account_id)
    GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
) wrong
"""


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """How much the ledger holds."""

    sequence: int
    transactions: int
    entries: int


async def ledger_figures(connection: asyncpg.Connection) -> LedgerFigures:
    """As the connection's transaction sees it. Raises asyncpg.PostgresError."""
    row = await connection.fetchrow(FIGURES)
    if row is None:
        raise LookupError("no figures")
    return LedgerFigures(**row)


async def ledger_faults(connection: asyncpg.Connection) -> list[str]:
    """What does not add up; `sociallive ledger verify` looks deeper."""
    faults = []
    for query, what in (
        (WRONG_BALANCES, "accounts have another balance than their entries"),
        (WRONG_TRANSACTIONS, "transactions do not sum to zero"),
    ):
        if count := await connection.fetchval(query):
            faults.append(f"{count} {what}")
    return faults
