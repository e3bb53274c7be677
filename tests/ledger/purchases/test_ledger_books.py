"""Purchases over the real ledger."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.purchases.ledger_books import LedgerPurchaseBooks
from ledger.reversals import ReversalKind, Shortfall
from tests.support.purchase_house import SAGAS, a_payment


@pytest.fixture
def books(ledger, shop):
    shop.wallets = LedgerPurchaseBooks(ledger)
    return shop.wallets


async def test_coins_come_from_the_payments_and_once(shop, books, ledger):
    purchase, _ = await shop.service.record(a_payment(amount_minor=700))
    await shop.settle()
    credited = await shop.service.get(purchase.purchase_id)
    assert await books.credit(credited) == credited.transaction_id
    assert (await ledger.wallet(purchase.user_id)).balance_minor == 700
    lines = {line.code: line for line in (await ledger.trial_balance()).accounts}
    assert lines["payment_clearing"].debit_minor == 700


async def test_what_was_credited_is_known_after_its_answer_was_archived(shop, books, ledger):
    async def dying(purchase):
        await credit(purchase)
        raise ConnectionError  # in front of what is written down

    credit, books.credit = books.credit, dying
    purchase, _ = await shop.service.record(a_payment(amount_minor=700))
    await shop.settle()
    assert (await shop.service.get(purchase.purchase_id)).state == "paid"
    books.credit = credit
    assert await ledger.archive_requests(datetime.now(UTC) + timedelta(days=40)) > 0
    shop.clock.advance(SAGAS.longest_backoff_s)
    await shop.settle()
    credited = await shop.service.get(purchase.purchase_id)
    assert credited.state == "credited"
    assert credited.transaction_id is not None
    assert (await ledger.wallet(purchase.user_id)).balance_minor == 700


async def test_a_closed_wallet_makes_the_refund_due(shop, books, ledger):
    user, admin = uuid4(), uuid4()
    granted = await ledger.grant(
        request_id=uuid4(), user_id=user, amount_minor=1, reason="opens it", granted_by=admin
    )
    await ledger.reversals.reverse(
        caller_id=admin,
        request_id=uuid4(),
        transaction_id=granted.transaction_id,
        amount_minor=None,
        kind=ReversalKind.REFUND,
        reason="empties it",
        shortfall=Shortfall.REFUSE,
    )
    await ledger.earnings.close_account(user, AccountCode.WALLET)
    purchase, _ = await shop.service.record(a_payment(user_id=user))
    await shop.settle()
    due = await shop.service.get(purchase.purchase_id)
    assert (due.state, due.transaction_id) == ("refund_due", None)
    assert "closed" in due.reason
