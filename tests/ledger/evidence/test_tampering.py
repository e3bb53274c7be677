"""Tampering with a real database, as a superuser whom no trigger and no check stops.

Every column of every row kind is changed, every row is removed, rows are added and swapped, one
thing at a time; the verification has to find each and to name the row.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import sign
from ledger.evidence.key_ring import KeyRing, add_key
from tests.support.forger import PARTED, SHOWN_BY, TABLES, Forger, names

CHANGES = {
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "{0} + 1",
    "smallint": "{0} + 1000",
    "text": "coalesce({0}, '') || 'x'",
    "uuid": "gen_random_uuid()",
    "boolean": "NOT {0}",
    "timestamp with time zone": "coalesce({0}, now()) - interval '1 hour'",
    "jsonb": """coalesce({0}, '{{}}') || '{{"forged": 1}}'""",
    "bytea": "set_bit({0}, 9, 1 - get_bit({0}, 9))",
}


async def test_the_history_is_sound(forger):
    report = await forger.verify()
    assert report.findings == ()
    assert (report.batches, report.transactions, report.unchained) == (26, 19, 0)
    assert report.entries == await forger.root.fetchval(
        "SELECT count(*) FROM ledger.journal_entries"
    )
    for table in PARTED:
        parts = await forger.root.fetchval(f"SELECT count(DISTINCT tableoid) FROM ledger.{table}")
        assert parts == 2


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
async def test_a_changed_column_of_any_row_is_found(forger, table):
    key = TABLES[table]
    keys = await forger.keys(table)
    missed = []
    for column, kind in (await forger.columns(table)).items():
        change = CHANGES[kind].format(column)
        if (table, column) == ("chain", "kind"):
            change = "CASE kind WHEN 'batch' THEN 'seals' ELSE 'batch' END"
        if column == key and kind == "bigint":
            change = f"{column} + 1000"
        for value in dict.fromkeys([keys[0], keys[len(keys) // 2], keys[-1]]):
            done = await forger.root.execute(
                f"UPDATE ledger.{table} SET {column} = {change} WHERE {key} = $1", value
            )
            assert done == "UPDATE 1"
            report = await forger.verify()
            # Where the name of a row is changed, another row is missing or one is new.
            moved = (
                column in (key, "batch", "position")
                or (table, column) == ("request_seals", "caller_id")
                or column.endswith("entry_id")
                or (table, column) == ("gift_entries", "transaction_id")
            )
            if not names(report, *await expected(forger, table, None if moved else value)):
                missed.append((column, value, list(map(str, report.findings[:2]))))
            await forger.undo(table)
    assert missed == []
    assert (await forger.verify()).sound


@pytest.mark.slow
@pytest.mark.parametrize("table", [table for table in TABLES if table != "checkpoints"])
async def test_any_row_that_is_removed_is_found(forger, table):
    key = TABLES[table]
    missed = []
    for value in await forger.keys(table):
        assert await forger.root.execute(f"DELETE FROM ledger.{table} WHERE {key} = $1", value) in (
            "DELETE 1",
            "DELETE 2",  # seals of one account
        )
        report = await forger.verify()
        # The newest links may go without a trace in the chain: their batches tell.
        unchained = names(report, "event_log") and "not in the chain" in str(report.findings[0])
        if not (names(report, table) or (table == "chain" and unchained)):
            missed.append((value, list(map(str, report.findings[:2]))))
        await forger.undo(table)
    assert missed == []


COPIES = {
    "event_log": {"sequence": "sequence + 1000"},
    "posting_transactions": {"transaction_id": "gen_random_uuid()"},
    "posting_entries": {"entry_id": "entry_id + 1000"},
    "gift_entries": {
        "payer_entry_id": "payer_entry_id + 1000",
        "payee_entry_id": "payee_entry_id + 1000",
        "house_entry_id": "house_entry_id + 1000",
    },
    "accounts": {"account_id": "gen_random_uuid()", "shard": "shard + 1000"},
    "account_seals": {"account_id": "gen_random_uuid()"},
    "chain": {"position": "position + 1000"},
    "checkpoints": {"position": "position + 1000"},
    "reversals": {"transaction_id": "gen_random_uuid()"},
    "external_references": {"reference": "reference || '-forged'"},
    "reference_seals": {"reference": "reference || '-forged'"},
    "requests": {"request_id": "gen_random_uuid()"},
    "request_seals": {"request_id": "gen_random_uuid()"},
    "holds": {"hold_id": "gen_random_uuid()"},
    "chart": {"code": "code || 'x'"},
    "currencies": {"currency": "currency || 'X'"},
}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
async def test_a_row_that_was_added_is_found(forger, table):
    key = TABLES[table]
    columns = list(await forger.columns(table))
    missed = []
    for value in await forger.keys(table):
        values = ", ".join(COPIES[table].get(name, name) for name in columns)
        await forger.root.execute(
            f"INSERT INTO ledger.{table} ({', '.join(columns)})"
            f" SELECT {values} FROM ledger.{table} WHERE {key} = $1",
            value,
        )
        report = await forger.verify()
        if not names(report, table):
            missed.append((value, list(map(str, report.findings[:2]))))
        await forger.undo(table)
    assert missed == []


@pytest.mark.parametrize("sequence", [0, -7, 10**6])
@pytest.mark.parametrize("table", ["event_log", *SHOWN_BY])
async def test_a_row_of_a_batch_that_never_was_is_found(forger, table, sequence):
    columns = list(await forger.columns(table))
    batch = "sequence" if table == "event_log" else "batch"
    new = COPIES[table] | {batch: str(sequence)}
    await forger.root.execute(
        f"INSERT INTO ledger.{table} ({', '.join(columns)})"
        f" SELECT {', '.join(new.get(name, name) for name in columns)} FROM ledger.{table} LIMIT 1"
    )
    report = await forger.verify()
    assert not report.sound
    # Behind the end of the chain it looks like a batch that lost the rest of its rows.
    assert names(report, table) or sequence > 0


@pytest.mark.parametrize("table", [table for table in TABLES if table != "checkpoints"])
async def test_two_rows_that_were_swapped_are_found(forger, table):
    """All columns but the key trade places."""
    key = TABLES[table]
    rows = await forger.root.fetch(
        f"SELECT {key}, to_jsonb(t) - '{key}' FROM ledger.{table} t ORDER BY {key}"
    )
    one, of_one = rows[0]
    other = next(name for name, rest in reversed(rows) if rest != of_one)
    await forger.root.execute(
        f"CREATE TEMP TABLE swapped AS SELECT * FROM ledger.{table} WHERE {key} IN ($1, $2)",
        one,
        other,
    )
    await forger.root.execute(
        f"UPDATE swapped SET {key} = CASE {key} WHEN $1 THEN $2 ELSE $1 END", one, other
    )
    await forger.root.execute(f"DELETE FROM ledger.{table} WHERE {key} IN ($1, $2)", one, other)
    await forger.root.execute(f"INSERT INTO ledger.{table} TABLE swapped")
    report = await forger.verify()
    assert names(report, table), report.findings


async def test_a_partition_that_was_taken_away_is_found(forger):
    for table in PARTED:
        parts = await forger.root.fetch(
            "SELECT inhrelid::regclass::text AS part, (SELECT count(*) FROM pg_inherits) "
            f"FROM pg_inherits WHERE inhparent = 'ledger.{table}'::regclass ORDER BY 1"
        )
        for row in parts:
            if await forger.root.fetchval(f"SELECT EXISTS (SELECT FROM {row['part']})"):
                bounds = await forger.root.fetchval(
                    "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = $1::regclass",
                    row["part"],
                )
                await forger.root.execute(
                    f"ALTER TABLE ledger.{table} DETACH PARTITION {row['part']}"
                )
                report = await forger.verify()
                assert names(report, table), report.findings
                await forger.root.execute(
                    f"ALTER TABLE ledger.{table} ATTACH PARTITION {row['part']} {bounds}"
                )
    assert (await forger.verify()).sound


async def test_who_makes_the_whole_chain_anew_is_found_by_a_checkpoint(forger):
    kept = await forger.evidence.checkpoints()
    assert len(kept) == 2
    await forger.root.execute(
        "UPDATE ledger.posting_transactions SET memo = 'forged' WHERE memo IS NOT NULL"
    )
    await forger.root.execute("DELETE FROM ledger.chain")
    await forger.root.execute("DELETE FROM ledger.account_seals")
    await forger.root.execute("DELETE FROM ledger.reference_seals")
    await forger.root.execute("DELETE FROM ledger.request_seals")
    await forger.root.execute(
        "INSERT INTO ledger.unsealed_requests (caller_id, request_id)"
        " SELECT caller_id, request_id FROM ledger.requests WHERE transaction_id IS NULL"
    )
    await forger.root.execute(
        "INSERT INTO ledger.unsealed_references (reference)"
        " SELECT reference FROM ledger.external_references"
    )
    await forger.root.execute(
        "INSERT INTO ledger.unsealed_accounts (account_id) SELECT account_id FROM ledger.accounts"
    )
    chainer = Chainer(forger.evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC))
    await chainer.catch_up()
    report = await forger.verify()
    assert names(report, "chain", f"position {kept[-1].position}") or names(
        report, "chain", f"position {kept[0].position}"
    )
    # Without the checkpoints of the database, those that were kept outside still tell.
    await forger.root.execute("DELETE FROM ledger.checkpoints")
    assert (await forger.verify()).sound
    report = await forger.verify(checkpoints=kept)
    assert names(report, "chain")
    assert "the given file" in report.findings[0].problem


async def test_a_checkpoint_that_was_removed_is_found_by_who_has_it(forger):
    kept = await forger.evidence.checkpoints()
    assert (await forger.verify(checkpoints=kept)).sound
    await forger.root.execute(
        "DELETE FROM ledger.checkpoints WHERE position = $1", kept[-1].position
    )
    report = await forger.verify(checkpoints=kept)
    assert names(report, "checkpoints", f"position {kept[-1].position}")
    assert "the given file has it" in report.findings[0].problem
    assert (await forger.verify(checkpoints=kept[:-1])).sound


async def test_a_checkpoint_of_somebody_else_is_found(forger, tmp_path):
    add_key(tmp_path / "other", now=datetime.now(UTC))
    stranger = KeyRing.read(tmp_path / "other").signing
    end = await forger.evidence.head()
    forged = sign(
        stranger, position=end.position, sequence=end.sequence, head=end.hash, at=datetime.now(UTC)
    )
    await forger.evidence.add_checkpoint(forged)
    report = await forger.verify()
    assert names(report, "checkpoints", f"position {end.position}")
    assert "not among the keys" in report.findings[0].problem


async def expected(forger: Forger, table: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return (table,)
    if table == "gift_entries":  # each leg is an entry of its own; what was none has no number
        transaction_id = await forger.root.fetchval(
            "SELECT transaction_id FROM kept.gift_entries WHERE payer_entry_id = $1", value
        )
        entries = (f"entry_id {value + leg}" for leg in range(3))
        return (table, *entries, "entry_id NULL", f"transaction_id {transaction_id}")
    return (table, f"{TABLES[table]} {value}")
