"""What matures is found without a look at the gifts, and is what is left when they are summed."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.errors import AlreadyReversed, InsufficientFunds
from ledger.postings import Leg, Posting
from ledger.reversals import ReversalKind, Shortfall
from ledger.service import LedgerService
from ledger.store import LedgerStore

RIPE = "SELECT ledger.ripe_minor($1, 'COIN', $2)"
SUMMED = """
SELECT ledger.total(a.balance_minor) - ledger.total((
    SELECT ledger.total(e.amount_minor) FROM ledger.journal_entries e
    WHERE e.account_id = a.account_id AND e.posted_at >= $2 AND e.amount_minor > 0))
FROM ledger.accounts a WHERE owner_id = $1 AND code = 'earnings' AND currency = 'COIN'
"""
TIMES = "SELECT DISTINCT posted_at FROM ledger.journal_entries ORDER BY 1"
FETCHED = """
SELECT sum(idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables WHERE relname LIKE 'gift_entries%'
"""
ACCOUNTS_FETCHED = """
SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'accounts'
"""


class Life:
    """What happens to the earnings of a few streamers, at random."""

    def __init__(self, ledgers, gift, payer, seed):
        self.dice = random.Random(seed)
        self.ledgers = ledgers
        self.gift = gift
        self.payer = payer
        self.streamers = [uuid4() for _ in range(3)]
        self.gifts = []

    async def goes_on(self):
        happens = self.dice.choice([self.give] * 4 + [self.take_back, self.correct, self.mature])
        with suppress(AlreadyReversed, InsufficientFunds):
            await happens(self.dice.choice(self.ledgers), self.dice.choice(self.streamers))

    async def give(self, ledger, streamer):
        request = self.gift(payer_id=self.payer, payee_id=streamer, count=self.dice.randint(1, 9))
        self.gifts.append(await ledger.send_gift(request))

    async def take_back(self, ledger, _):
        gift = self.dice.choice(self.gifts)
        await ledger.reversals.reverse(
            caller_id=self.payer,
            request_id=uuid4(),
            transaction_id=gift.transaction_id,
            amount_minor=self.dice.choice([None, 3, 10]),
            kind=self.dice.choice(list(ReversalKind)),
            reason="test",
            shortfall=self.dice.choice(list(Shortfall)),
        )

    async def correct(self, ledger, streamer):
        minor = self.dice.choice([-20, -1, 5])
        legs = (
            Leg(streamer, AccountCode.EARNINGS, minor, "COIN"),
            Leg(None, AccountCode.REFUNDS, -minor, "COIN"),
        )
        posting = Posting(kind="correction", description="test", legs=legs)
        await ledger.post(caller_id=self.payer, request_id=uuid4(), postings=[posting])

    async def mature(self, ledger, _):
        before = self.dice.choice(self.gifts).posted_at + timedelta(milliseconds=1)
        await ledger.earnings.mature(before)


@pytest.mark.parametrize("seed", range(4))
async def test_it_is_what_is_left_when_the_gifts_are_summed(
    pool, settings, recorder, gift, fund, seed
):
    ledgers = [  # two, so that streamers have two sub-accounts beside the main one
        LedgerService(settings, LedgerStore(pool, settings), wake=recorder.wake, observer=recorder)
        for _ in range(2)
    ]
    payer = uuid4()
    await fund(payer, 100_000)
    life = Life(ledgers, gift, payer, seed)
    for streamer in life.streamers:
        for ledger in ledgers:
            await life.give(ledger, streamer)
    for _ in range(60):
        await life.goes_on()
    for (at,) in await pool.fetch(TIMES):
        for streamer in life.streamers:
            for before in (at, at + timedelta(microseconds=1)):
                ripe = await pool.fetchval(RIPE, streamer, before)
                assert ripe == await pool.fetchval(SUMMED, streamer, before), (seed, at)
    for ledger in ledgers:
        await ledger.close()


async def test_gifts_that_are_too_young_are_not_read(pool, ledger, gift, fund):
    first = gift()
    await fund(first.payer_id, 1_000)
    old = await ledger.send_gift(first)
    for _ in range(40):
        await ledger.send_gift(gift(payer_id=first.payer_id, payee_id=first.payee_id))
    before = old.posted_at + timedelta(microseconds=1)
    async with pool.acquire() as connection, connection.transaction():
        matured = await connection.fetchval(
            "SELECT matured FROM ledger.mature_earnings('COIN', $1, $2, 50, 'test')",
            before,
            UUID(int=0),
        )
        assert matured == 1
        assert await connection.fetchval(FETCHED) < 20


async def test_wallets_are_not_read(pool, ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 10)
    await ledger.send_gift(request)
    await pool.execute(
        "INSERT INTO ledger.accounts (owner_id, code, currency, shard)"
        " SELECT gen_random_uuid(), 'wallet', 'COIN', 0 FROM generate_series(1, 500)"
    )
    async with pool.acquire() as connection, connection.transaction():
        looked_at = await connection.fetchval(
            "SELECT last_owner FROM ledger.mature_earnings('COIN', $1, $2, 50, 'test')",
            datetime(2020, 1, 1, tzinfo=UTC),
            UUID(int=0),
        )
        assert looked_at is not None
        assert await connection.fetchval(ACCOUNTS_FETCHED) < 20
