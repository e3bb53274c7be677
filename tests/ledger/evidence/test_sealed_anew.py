"""Accounts that were forged and put where the chainer seals them anew, as if they had changed."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from tests.support.forger import names
from tests.support.history import fund, give

CHANGES = {
    "code": "'fees'",
    "owner_id": "gen_random_uuid()",
    "shard": "shard + 100",
    "currency": "'EURO'",
    "created_at": "created_at - interval '1 second'",
}


async def queued(forger, column, value):
    """Change a sealed account and let it be sealed anew; its id."""
    account_id = await forger.root.fetchval(
        f"UPDATE ledger.accounts SET {column} = {value} WHERE account_id = ("
        " SELECT account_id FROM ledger.accounts WHERE code = 'earnings' LIMIT 1)"
        " RETURNING account_id"
    )
    await forger.root.execute(
        "INSERT INTO ledger.unsealed_accounts (account_id) VALUES ($1)", account_id
    )
    return account_id


async def chain(forger):
    await Chainer(forger.evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()


@pytest.mark.parametrize("column", CHANGES)
async def test_what_never_changes_is_found_in_the_queue_and_behind_it(forger, column):
    account_id = await queued(forger, column, CHANGES[column])
    report = await forger.verify()
    assert names(report, "accounts", f"account_id {account_id}"), report.findings
    assert column in report.findings[0].problem
    await chain(forger)
    report = await forger.verify()
    assert names(report, "accounts", f"account_id {account_id}"), report.findings
    assert "never changes" in report.findings[0].problem


async def test_other_metadata_is_found_behind_the_queue_too(forger, pool):
    await pool.execute("SELECT ledger.describe_account(NULL, 'fees', 'COIN', '{\"why\": 1}')")
    await chain(forger)
    assert (await forger.verify()).sound
    account_id = await queued(forger, "metadata", "'{\"forged\": 1}'")
    await chain(forger)
    report = await forger.verify()
    assert names(report, "accounts", f"account_id {account_id}"), report.findings
    assert "metadata" in report.findings[0].problem


async def test_what_was_closed_is_not_opened_again(forger, pool):
    ann = uuid4()
    await fund(pool, ann, 10)
    await give(pool, ann, uuid4(), 10)
    await pool.execute("SELECT ledger.close_account($1, 'wallet', 'COIN')", ann)
    await chain(forger)
    assert (await forger.verify()).sound
    account_id = await forger.root.fetchval(
        "UPDATE ledger.accounts SET closed_at = NULL WHERE owner_id = $1 RETURNING account_id", ann
    )
    await forger.root.execute(
        "INSERT INTO ledger.unsealed_accounts (account_id) VALUES ($1)", account_id
    )
    for _ in range(2):
        report = await forger.verify()
        assert names(report, "accounts", f"account_id {account_id}"), report.findings
        await chain(forger)
