"""Collects the evidence, straight from the stores and the bank."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from redis.asyncio import Redis

from server.bus import STREAM_KEY
from tests.sim.evidence import Account, Entry, Evidence, Hold, Order, Payout, Transaction
from tests.sim.history import Key

TRANSACTIONS = """
SELECT transaction_id, caller_id, request_id, kind
FROM ledger.transactions LEFT JOIN ledger.requests USING (transaction_id)
"""
ENTRIES = """
SELECT e.entry_id, e.transaction_id, e.account_id, a.owner_id, a.code, e.amount_minor,
       e.balance_minor
FROM ledger.journal_entries e LEFT JOIN ledger.accounts a USING (account_id) ORDER BY e.entry_id
"""
ACCOUNTS = "SELECT account_id, owner_id, code, balance_minor, held_minor FROM ledger.accounts"
# A hold that was placed is answered as an open one, a voided hold as a voided one.
HOLDS = """
SELECT h.hold_id, r.caller_id, r.request_id, h.account_id, h.amount_minor, h.captured_minor,
       h.state = 'open' AS is_open
FROM ledger.holds h LEFT JOIN ledger.requests r
  ON r.transaction_id IS NULL AND r.answer::jsonb ->> 'hold_id' = h.hold_id::text
 AND r.answer::jsonb ->> 'state' = 'open'
"""
ANSWERED = "SELECT caller_id, request_id FROM ledger.requests"
PAYOUTS = """
SELECT payout_id, user_id AS caller_id, request_id, amount_minor, state, hold_id, attention
FROM ledger.payouts ORDER BY payout_id
"""
STEPS_LEFT = """
SELECT concat_ws(' ', stream_id, step, state, last_error) AS step
FROM ledger.saga_tasks WHERE state <> 'done' ORDER BY stream_id, version
"""
STEPS = (
    "SELECT count(*) AS done, count(*) FILTER (WHERE attempts > 1) AS again FROM ledger.saga_tasks"
)
TO_JUDGE = "SELECT payout_id FROM ledger.payouts WHERE state = 'review' ORDER BY payout_id"
# All events are tasks, all tasks are done, and where that leaves payouts is for good.
CARRIED_OUT = """
SELECT NOT EXISTS (SELECT FROM ledger.saga_tasks WHERE state = 'due')
   AND NOT EXISTS (SELECT FROM ledger.payouts
                   WHERE state NOT IN ('settled', 'returned', 'failed', 'cancelled', 'rejected'))
   AND (SELECT position FROM ledger.event_store_head) =
       (SELECT position FROM ledger.event_store_cursors WHERE consumer = 'sagas')
"""
LOG = """
SELECT (event->>'event_id')::uuid AS event_id,
       (event->'data'->>'transaction_id')::uuid AS transaction_id
FROM ledger.event_log CROSS JOIN jsonb_array_elements(events::jsonb) WITH ORDINALITY AS e (event, n)
ORDER BY sequence, n
"""
EFFECTS = """
SELECT payer_id, payee_id, sum(amount_minor)::bigint AS amount_minor
FROM compliance.aml_edges GROUP BY payer_id, payee_id
"""
PUBLISHED = """
SELECT coalesce((SELECT max(sequence) FROM ledger.event_log), 0) <=
       (SELECT sequence FROM ledger.event_cursors WHERE consumer = 'stream')
"""

REPLAYING = "SELECT count(*) > 0 FROM ledger.replays WHERE finished_at IS NULL"


async def is_settled(connection: asyncpg.Connection, redis: Redis) -> bool:
    """Whether the log is published, and the readers have finished with all of it."""
    if not await connection.fetchval(PUBLISHED) or await connection.fetchval(REPLAYING):
        return False
    groups = await redis.xinfo_groups(STREAM_KEY)
    return bool(groups) and all(not group["pending"] and group["lag"] == 0 for group in groups)


async def payouts_to_judge(connection: asyncpg.Connection) -> list[UUID]:
    """Payouts that wait for an admin."""
    return [row["payout_id"] for row in await connection.fetch(TO_JUDGE)]


async def steps(connection: asyncpg.Connection) -> str:
    """How many steps payouts took, for people."""
    row = await connection.fetchrow(STEPS)
    return f"{row['done']} steps, {row['again']} of them taken more than once"


async def payouts_are_carried_out(connection: asyncpg.Connection) -> bool:
    """Whether no payout has anything before it."""
    return bool(await connection.fetchval(CARRIED_OUT))


async def collect(
    connection: asyncpg.Connection, redis: Redis, orders: tuple[Order, ...]
) -> Evidence:
    """What the stores hold now; `orders` are the bank's."""
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for row in await connection.fetch(ENTRIES):
        fields = dict(row)
        entries[fields.pop("transaction_id")].append(Entry(fields.pop("entry_id"), **fields))
    return Evidence(
        transactions=tuple(
            Transaction(
                row["transaction_id"],
                _key(row),
                row["kind"],
                tuple(entries.pop(row["transaction_id"], ())),
            )
            for row in await connection.fetch(TRANSACTIONS)
        )
        + tuple(Transaction(each, None, "orphan", tuple(rows)) for each, rows in entries.items()),
        accounts=tuple(Account(**row) for row in await connection.fetch(ACCOUNTS)),
        log=tuple((row["event_id"], row["transaction_id"]) for row in await connection.fetch(LOG)),
        stream=tuple(
            UUID(event["event_id"])
            for _, fields in await redis.xrange(STREAM_KEY)
            for event in orjson.loads(fields[b"events"])
        ),
        effects={
            (row["payer_id"], row["payee_id"]): row["amount_minor"]
            for row in await connection.fetch(EFFECTS)
        },
        holds=tuple(
            Hold(
                row["hold_id"],
                _key(row),
                row["account_id"],
                row["amount_minor"],
                row["captured_minor"],
                row["is_open"],
            )
            for row in await connection.fetch(HOLDS)
        ),
        answered=frozenset(Key(**row) for row in await connection.fetch(ANSWERED)),
        payouts=tuple(
            Payout(
                row["payout_id"],
                Key(row["caller_id"], row["request_id"]),
                row["amount_minor"],
                row["state"],
                row["hold_id"],
                row["attention"],
            )
            for row in await connection.fetch(PAYOUTS)
        ),
        steps_left=tuple(row["step"] for row in await connection.fetch(STEPS_LEFT)),
        orders=orders,
    )


def _key(row: Any) -> Key | None:
    return None if row["caller_id"] is None else Key(row["caller_id"], row["request_id"])
