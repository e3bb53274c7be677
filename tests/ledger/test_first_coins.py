"""A wallet that comes to be while a gift out of it is being judged."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from ledger.errors import InsufficientFunds

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("coins", [10, 5])
async def test_first_coins_that_come_in_the_midst_of_a_batch(
    pool, database_url, ledger, gift, fund, coins
):
    """The batch waits for Ada's wallet; meanwhile Ben, who is in it too, gets his first coins."""
    ada, ben = uuid4(), uuid4()
    await fund(ada, 30)
    other = await asyncpg.connect(database_url)
    holding = other.transaction()
    await holding.start()
    await other.execute("SELECT FROM ledger.accounts WHERE owner_id = $1 FOR UPDATE", ada)
    gifts = [gift(payer_id=ada), gift(payer_id=ben)]
    sending = [asyncio.create_task(ledger.send_gift(each)) for each in gifts]
    async with asyncio.timeout(10):
        while not await pool.fetchval(WAITING):
            await asyncio.sleep(0.005)
    await fund(ben, coins)
    await holding.rollback()
    await other.close()
    of_ada, of_ben = await asyncio.gather(*sending, return_exceptions=True)
    assert of_ada.balance_minor == 20
    ben_has = (await ledger.wallet(ben)).balance_minor
    if isinstance(of_ben, InsufficientFunds):  # judged as of before the coins came
        assert ben_has == coins
    else:
        assert (of_ben.balance_minor, ben_has, coins) == (0, 0, 10)
    posted = await pool.fetchval("SELECT count(*) FROM ledger.transactions WHERE kind = 'gift'")
    assert posted == 1 + (not isinstance(of_ben, InsufficientFunds))
    assert await pool.fetchval("SELECT count(*) FROM ledger.event_log WHERE event_count = 0") == 0
