"""Postings as documents, their hashes, and general postings through the service."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.errors import (
    AccountClosed,
    AmountTooLarge,
    DuplicateReference,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    InvalidLabel,
    InvalidPosting,
    UnknownAccount,
    UnknownCurrency,
)
from ledger.postings import MAX_LEGS, Leg, Posting, receipt, request_hash, to_document

WALLET, ISSUANCE, FEES = AccountCode.WALLET, AccountCode.ISSUANCE, AccountCode.FEES


def leg(owner, amount, code=WALLET, currency="COIN"):
    return Leg(owner, code, amount, currency)


def transfer(payer, payee, amount, **fields):
    legs = (leg(payer, -amount), leg(payee, amount))
    return replace(Posting("correction", "Put right", legs), **fields)


@pytest.fixture
def post(ledger):
    """Post under a new request, or the one that is named."""

    async def post(*postings, **key):
        sound = {"caller_id": uuid4(), "request_id": uuid4()}
        return await ledger.post(**sound | key, postings=postings)

    return post


def test_the_hash_is_over_the_meaning_not_the_order():
    assert request_hash("a", {"x": 1, "y": 2}) == request_hash("a", {"y": 2, "x": 1})
    assert request_hash("a", {"x": 1}) != request_hash("b", {"x": 1})
    assert request_hash("a", {"x": 1}) != request_hash("a", {"x": 2})
    person = uuid4()
    assert request_hash("a", person) == request_hash("a", str(person))


def test_a_document_says_everything():
    ada, at = uuid4(), datetime(2026, 1, 31, 12, tzinfo=UTC)
    posting = Posting(
        "refund", "Back", (leg(ada, 5), leg(None, -5, FEES)), "why", {"case": 7}, "ref", at
    )
    assert to_document(posting) == {
        "kind": "refund",
        "description": "Back",
        "memo": "why",
        "metadata": {"case": 7},
        "reference": "ref",
        "effective_at": "2026-01-31T12:00:00+00:00",
        "legs": [
            {"owner_id": str(ada), "code": "wallet", "currency": "COIN", "amount_minor": 5},
            {"owner_id": None, "code": "fees", "currency": "COIN", "amount_minor": -5},
        ],
        "event": {"type": "posting.made", "data": {"kind": "refund", "reverses": None}},
    }


def test_a_receipt_is_read_back():
    ada, transaction = uuid4(), uuid4()
    read = receipt(
        {
            "posted_at": "2026-01-31T12:00:00.000Z",
            "postings": [
                {
                    "transaction_id": str(transaction),
                    "legs": [
                        {
                            "owner_id": str(ada),
                            "code": "wallet",
                            "currency": "COIN",
                            "amount_minor": 5,
                            "balance_minor": 9,
                        },
                        {
                            "owner_id": None,
                            "code": "fees",
                            "currency": "COIN",
                            "amount_minor": -5,
                            "balance_minor": None,
                        },
                    ],
                }
            ],
        },
        repeated=True,
    )
    assert (read.transaction_id, read.repeated) == (transaction, True)
    assert [each.balance_minor for each in read.transactions[0].legs] == [9, None]


async def test_a_posting_moves_between_accounts(post, fund, ledger, pool):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    posted = await post(transfer(ada, ben, 30, memo="why", metadata={"case": 7}, effective_at=at))
    assert [each.balance_minor for each in posted.transactions[0].legs] == [70, 30]
    assert (await ledger.wallet(ben)).balance_minor == 30
    row = await pool.fetchrow(
        "SELECT memo, metadata, effective_at, posted_at FROM ledger.transactions"
        " WHERE transaction_id = $1",
        posted.transaction_id,
    )
    assert tuple(row)[:3] == ("why", {"case": 7}, at)
    assert row["posted_at"] == posted.posted_at


async def test_linked_postings_are_all_or_none(post, fund, ledger, pool):
    ada, ben, eve = uuid4(), uuid4(), uuid4()
    await fund(ada, 100)
    posted = await post(transfer(ada, ben, 60), transfer(ben, eve, 60))
    assert len(posted.transactions) == 2
    count = (
        "SELECT (SELECT count(*) FROM ledger.transactions), (SELECT count(*) FROM ledger.accounts)"
    )
    before = tuple(await pool.fetchrow(count))
    with pytest.raises(InsufficientFunds) as caught:
        await post(transfer(ada, uuid4(), 40), transfer(ben, eve, 1))
    assert (caught.value.balance_minor, caught.value.total_minor) == (0, 1)
    assert tuple(await pool.fetchrow(count)) == before
    assert (await ledger.wallet(ada)).balance_minor == 40


async def test_the_same_request_again_is_answered_alike(post, fund, ledger):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    key = {"caller_id": uuid4(), "request_id": uuid4()}
    first = await post(transfer(ada, ben, 70), **key)
    assert await post(transfer(ada, ben, 70), **key) == replace(first, repeated=True)
    with pytest.raises(IdempotencyMismatch):
        await post(transfer(ada, ben, 71), **key)
    assert (await ledger.wallet(ada)).balance_minor == 30


async def test_equal_requests_at_once_post_one(post, fund, ledger):
    ada, key = uuid4(), {"caller_id": uuid4(), "request_id": uuid4()}
    await fund(ada, 100)
    answers = await asyncio.gather(
        *(post(transfer(ada, uuid4(), 10), **key) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, IdempotencyMismatch) for answer in answers) == 7
    assert (await ledger.wallet(ada)).balance_minor == 90


async def test_what_is_refused(post, fund, pool, ledger):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    most = 2**63 - 1
    issue = Posting("correction", "Put right", (leg(ada, most), leg(None, -most, ISSUANCE)))
    for postings, refusal in (
        ([transfer(ada, ben, 101)], InsufficientFunds),
        ([transfer(ada, ben, 0)], InvalidAmount),
        ([transfer(ada, ben, 2**63)], InvalidAmount),
        ([transfer(ada, ada, 5)], InvalidPosting),
        ([Posting("correction", "x", (leg(ada, 5),))], InvalidPosting),
        ([Posting("correction", "x", (leg(ada, -5), leg(ben, 4)))], InvalidPosting),
        ([Posting("correction", "x", (leg(None, 5), leg(ada, -5)))], UnknownAccount),
        ([transfer(ada, ben, 5), issue], AmountTooLarge),
        (
            [Posting("x", "x", (leg(ada, -5, currency="EURO"), leg(ben, 5, currency="EURO")))],
            UnknownCurrency,
        ),
        (
            [transfer(ada, ben, 5, reference="r"), transfer(ada, ben, 5, reference="r")],
            DuplicateReference,
        ),
    ):
        with pytest.raises(refusal):
            await post(*postings)
    assert await pool.fetchval("SELECT count(*) FROM ledger.transactions") == 1
    assert (await ledger.wallet(ada)).balance_minor == 100


async def test_a_reference_is_unique_for_good(post, fund):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    await post(transfer(ada, ben, 5, reference="provider-1"))
    with pytest.raises(DuplicateReference):
        await post(transfer(ada, ben, 5, reference="provider-1"))


async def test_a_closed_account_takes_and_gives_nothing(post, fund, pool, gift, ledger):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    await post(transfer(ada, ben, 5))
    await post(transfer(ben, ada, 5))
    for code in ("wallet", "earnings"):
        await pool.fetch("SELECT ledger.close_account($1, $2, 'COIN')", ben, code)
    for posting in (transfer(ada, ben, 5), transfer(ben, ada, 5)):
        with pytest.raises(AccountClosed):
            await post(posting)
    request = gift(payer_id=ben)
    with pytest.raises(AccountClosed):
        await ledger.send_gift(request)


async def test_a_debit_is_taken_from_all_sub_accounts(post, fund, pool, ledger):
    ada = uuid4()
    await fund(ada, 60)
    earnings = AccountCode.EARNINGS
    for shard, minor in ((1, 10), (2, 20), (3, 30)):
        account = await pool.fetchval(
            "SELECT ledger.open_account($1, 'earnings', 'COIN', $2)", ada, shard
        )
        await pool.execute(
            "UPDATE ledger.accounts SET balance_minor = $2 WHERE account_id = $1", account, minor
        )
    payout = Posting(
        "correction",
        "Put right",
        (leg(ada, -35, earnings), leg(ada, 35, AccountCode.EARNINGS_AVAILABLE)),
    )
    posted = await post(payout)
    assert posted.transactions[0].legs[0].balance_minor == 25
    rows = await pool.fetch(
        "SELECT balance_minor FROM ledger.accounts WHERE owner_id = $1 AND code = 'earnings'"
        " AND shard > 0 ORDER BY shard",
        ada,
    )
    assert [row["balance_minor"] for row in rows] == [0, 0, 25]
    wallet = await ledger.wallet(ada)
    assert (wallet.earnings_minor, wallet.earnings_available_minor) == (25, 35)


async def test_what_cannot_be_stored_is_refused(post, fund, pool):
    ada, ben = uuid4(), uuid4()
    await fund(ada, 100)
    before = await pool.fetchval("SELECT count(*) FROM ledger.transactions")
    for field, values in {
        "kind": ("Bad Kind", ""),
        "reference": ("", "x" * 201, "a\0"),
        "memo": ("a\0",),
        "metadata": ({"a": "\0"}, {"a": 2**70}, {"a": "\ud800"}),
    }.items():
        for value in values:
            with pytest.raises(InvalidLabel):
                await post(transfer(ada, ben, 1, **{field: value}))
    with pytest.raises(UnknownCurrency):
        await post(Posting("x", "x", (leg(ada, -1, currency="x\0"), leg(ben, 1, currency="x\0"))))
    for postings in ((), (transfer(ada, ben, 1),) * (MAX_LEGS + 1)):
        with pytest.raises(InvalidPosting):
            await post(*postings)
    assert await pool.fetchval("SELECT count(*) FROM ledger.transactions") == before


async def test_what_is_admitted_can_be_stored(post, fund, pool):
    ada, metadata = uuid4(), {"a": "\\u0000", "b": 2**64 - 1, "c": -(2**63), "d": "😀\x01"}
    await fund(ada, 100)
    labels = {"kind": "a" * 32, "reference": "😀" * 200, "memo": "two\nlines", "metadata": metadata}
    posted = await post(transfer(ada, uuid4(), 1, **labels))
    row = await pool.fetchrow(
        "SELECT memo, metadata FROM ledger.transactions WHERE transaction_id = $1",
        posted.transaction_id,
    )
    assert tuple(row) == ("two\nlines", metadata)


async def test_a_purchase_credits_the_wallet_once(ledger):
    ada = uuid4()
    request = {
        "caller_id": uuid4(),
        "request_id": uuid4(),
        "user_id": ada,
        "amount_minor": 500,
        "reference": "pay-1",
        "metadata": {"paid_minor": 499, "paid_currency": "EUR"},
    }
    first = await ledger.credit_purchase(**request)
    assert await ledger.credit_purchase(**request) == replace(first, repeated=True)
    assert (await ledger.wallet(ada)).balance_minor == 500
    with pytest.raises(DuplicateReference):
        await ledger.credit_purchase(**request | {"request_id": uuid4()})
    with pytest.raises(InvalidAmount):
        await ledger.credit_purchase(**request | {"amount_minor": 0})
