"""Earnings that mature, oldest first, and accounts that are closed."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.door import Door
from ledger.earnings import AT_ONCE, FIRST, EarningsService
from ledger.errors import AccountClosed, AccountNotEmpty, LedgerBusy, UnknownAccount


async def earn(ledger, gift, fund, payee, count=1):
    request = gift(payee_id=payee, count=count)
    await fund(request.payer_id, 10 * count)
    return await ledger.send_gift(request)


async def test_only_what_is_old_enough_matures(ledger, gift, fund):
    payee = uuid4()
    first = await earn(ledger, gift, fund, payee, 10)
    second = await earn(ledger, gift, fund, payee, 1)
    while second.posted_at <= first.posted_at:
        second = await earn(ledger, gift, fund, payee, 1)
    before = await ledger.wallet(payee)
    assert await ledger.earnings.mature(first.posted_at) == 0
    assert await ledger.earnings.mature(second.posted_at) == 1
    after = await ledger.wallet(payee)
    assert after.earnings_available_minor >= 70
    assert after.earnings_minor >= 7
    assert after.earnings_minor + after.earnings_available_minor == before.earnings_minor
    assert await ledger.earnings.mature(second.posted_at) == 0
    assert (await ledger.trial_balance()).balanced


async def test_everyone_has_a_turn(ledger, gift, fund):
    payees = [uuid4() for _ in range(AT_ONCE + 3)]
    await asyncio.gather(*(earn(ledger, gift, fund, payee) for payee in payees))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await ledger.earnings.mature(tomorrow) == len(payees)
    assert await ledger.earnings.mature(tomorrow) == 0
    wallets = [await ledger.wallet(payee) for payee in payees]
    assert {(w.earnings_minor, w.earnings_available_minor) for w in wallets} == {(0, 7)}


async def test_maturing_amid_gifts_loses_nothing(ledger, gift, fund):
    payee = uuid4()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await asyncio.gather(
        *(earn(ledger, gift, fund, payee) for _ in range(30)),
        *(ledger.earnings.mature(tomorrow) for _ in range(3)),
    )
    wallet = await ledger.wallet(payee)
    assert wallet.earnings_minor + wallet.earnings_available_minor == 30 * 7
    assert (await ledger.trial_balance()).balanced


async def test_a_closed_account_holds_up_nobody_else(ledger, gift, fund, pool):
    closed, other = sorted(uuid4() for _ in range(2))
    for payee in (closed, other):
        await earn(ledger, gift, fund, payee)
    await pool.fetch(
        "SELECT ledger.open_account($1, 'earnings_available', 'COIN', 0::smallint)", closed
    )
    await ledger.earnings.close_account(closed, AccountCode.EARNINGS_AVAILABLE)
    assert await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1)) == 1
    assert (await ledger.wallet(closed)).earnings_minor == 7
    assert (await ledger.wallet(other)).earnings_available_minor == 7


async def test_whose_accounts_are_in_use_has_their_turn_the_next_time(ledger, gift, fund, pool):
    first, used, last = sorted(uuid4() for _ in range(3))
    for payee in (first, used, last):
        await earn(ledger, gift, fund, payee)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM ledger.accounts WHERE owner_id = $1 FOR UPDATE", used)
        assert await ledger.earnings.mature(tomorrow) == 2
    assert await ledger.earnings.mature(tomorrow) == 1
    wallets = [await ledger.wallet(payee) for payee in (first, used, last)]
    assert [wallet.earnings_available_minor for wallet in wallets] == [7, 7, 7]


class Books:
    """Streamers 1 to 9; `busy` of them can't be looked at."""

    def __init__(self, *busy):
        self.busy = set(busy)
        self.looked_at = []

    async def mature_earnings(self, currency, before, after, limit, description):
        streamer = after.int + 1
        if streamer in self.busy:
            raise LedgerBusy
        if streamer == 10:
            return None, 0
        self.looked_at.append(streamer)
        return UUID(int=streamer), 1


async def test_what_was_cut_off_goes_on_there(settings, recorder):
    books = Books(4)
    earnings = EarningsService(books, Door(settings, recorder), "COIN", recorder.wake)
    now = datetime.now(UTC)
    for looked_at in ([1, 2, 3], [], [1, 2, 3]):  # cut off there again, it begins anew
        with pytest.raises(LedgerBusy):
            await earnings.mature(now)
        assert books.looked_at == looked_at
        books.looked_at.clear()
    books.busy.clear()
    assert await earnings.mature(now) == 15
    assert books.looked_at == [4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    books.looked_at.clear()
    assert await earnings.mature(now) == 9
    assert books.looked_at[0] == FIRST.int + 1


async def test_an_empty_account_is_closed_for_good(ledger, gift, fund):
    ada = uuid4()
    with pytest.raises(UnknownAccount):
        await ledger.earnings.close_account(ada, AccountCode.WALLET)
    request = gift(payer_id=ada)
    await fund(ada, 10)
    with pytest.raises(AccountNotEmpty):
        await ledger.earnings.close_account(ada, AccountCode.WALLET)
    await ledger.send_gift(request)
    for _ in range(2):
        await ledger.earnings.close_account(ada, AccountCode.WALLET)
    with pytest.raises(AccountClosed):
        await fund(ada, 10)
    assert (await ledger.send_gift(request)).repeated
    with pytest.raises(AccountClosed):
        await ledger.send_gift(gift(payer_id=ada))


async def test_a_streamer_whose_earnings_are_closed_gets_no_gifts(ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.send_gift(request)
    await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
    await ledger.earnings.close_account(request.payee_id, AccountCode.EARNINGS)
    with pytest.raises(AccountClosed):
        await ledger.send_gift(gift(payer_id=request.payer_id, payee_id=request.payee_id))
    other = await ledger.send_gift(gift(payer_id=request.payer_id))
    assert other.balance_minor == 80
