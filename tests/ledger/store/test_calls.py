"""Single statements: which failures are an outage, and which are mistakes of ours."""

from uuid import uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.errors import LedgerBusy
from ledger.store import Calls
from server.embedded.postgres import READER
from server.grants import apply_grants


async def test_a_mistake_of_ours_is_not_called_an_outage(store):
    with pytest.raises(asyncpg.UndefinedTableError):
        await store.calls.fetch("SELECT nothing FROM nowhere")
    with pytest.raises(asyncpg.DataError):
        await store.calls.fetch("SELECT $1::bigint", "x")


@pytest.mark.parametrize("state", ["53100", "53200", "58030", "57P03", "25006"])
async def test_a_full_disk_and_its_kin_are_an_outage(store, state):
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'as the server would' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(LedgerBusy):
        await store.calls.fetch(raising)


async def test_a_lost_answer_is_asked_for_again(proxy, distant_pool, settings):
    calls = Calls(distant_pool, settings)
    await calls.fetchrow("SELECT 1")
    proxy.lose_next_answer()
    assert (await calls.fetchrow("SELECT 2 AS two"))["two"] == 2
    assert proxy.lost == 1


async def test_an_answer_that_keeps_being_lost_is_an_outage(proxy, distant_pool, settings):
    await proxy.refuse()
    with pytest.raises(LedgerBusy):
        await Calls(distant_pool, settings).fetch("SELECT 1")


async def test_reads_of_a_user_are_of_that_user_alone(
    pool: asyncpg.Pool, database_url: str, settings: LedgerSettings
) -> None:
    owner = await asyncpg.connect(database_url)
    assert await apply_grants(owner)
    ada, bo = uuid4(), uuid4()
    await owner.executemany(
        "INSERT INTO ledger.accounts (code, owner_id, currency) VALUES ('wallet', $1, 'COIN')",
        [(ada,), (bo,)],
    )
    calls = Calls(pool, settings, reader=READER)
    everything = "SELECT owner_id FROM ledger.accounts"
    for behind in (False, True):
        rows = await calls.fetch_of(ada, everything, may_be_behind=behind)
        assert [row["owner_id"] for row in rows] == [ada]
    assert len(await calls.fetch(everything)) == 2
    assert len(await calls.fetch_behind(everything)) == 2
    assert len(await Calls(pool, settings).fetch_of(ada, everything)) == 2  # without the role
    await owner.close()
