"""A server that has run out of something: said clearly, and over with the next posting."""

import asyncpg
import pytest

from ledger.errors import LedgerBusy
from ledger.store.exhaustion import PASSES_AFTER_S, Exhaustion


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_only_its_own_errors_are_a_sign():
    exhaustion = Exhaustion()
    for error in (OSError(), asyncpg.DeadlockDetectedError(), asyncpg.AdminShutdownError()):
        exhaustion.failed(error)
        assert exhaustion.error is None
    for error in (asyncpg.DiskFullError(), asyncpg.OutOfMemoryError(), asyncpg.PostgresIOError()):
        exhaustion.failed(error)
        assert exhaustion.error is error


def test_it_passes_with_a_posting_or_with_time():
    clock = Clock()
    exhaustion = Exhaustion(clock)
    exhaustion.failed(asyncpg.DiskFullError())
    exhaustion.posted()
    assert exhaustion.error is None
    exhaustion.failed(asyncpg.DiskFullError())
    clock.now += PASSES_AFTER_S
    assert exhaustion.error is not None
    clock.now += 0.1
    assert exhaustion.error is None


async def test_a_full_disk_acknowledges_nothing_and_shows(ledger, store, pool, gift, fund):
    request = gift()
    await fund(request.payer_id, 20)
    await ledger.check()
    await pool.execute(
        "CREATE FUNCTION ledger.full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON ledger.requests"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger.full_disk()"
    )
    for call in (ledger.send_gift(request), fund(request.payer_id, 5)):
        with pytest.raises(LedgerBusy):
            await call
    with pytest.raises(LedgerBusy) as caught:
        await ledger.check()
    assert isinstance(caught.value.__cause__, asyncpg.DiskFullError)
    await pool.execute("DROP TRIGGER full_disk ON ledger.requests")
    assert (await ledger.send_gift(request)).repeated is False
    await ledger.check()
    assert (await ledger.wallet(request.payer_id)).balance_minor == 10
