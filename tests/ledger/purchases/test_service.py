from dataclasses import replace
from uuid import uuid4

import pytest

from ledger.purchases.errors import InvalidPurchaseField, PurchaseConflict, UnknownPurchase
from ledger.purchases.states import PurchaseState
from tests.support.purchase_house import a_payment

ADMIN = uuid4()


async def test_a_record_is_answered_alike_again(shop):
    record = a_payment()
    purchase, repeated = await shop.service.record(record)
    again, known = await shop.service.record(record)
    assert (again, repeated, known) == (purchase, False, True)
    with pytest.raises(InvalidPurchaseField):
        await shop.service.record(replace(record, amount_minor=0))


async def test_a_refund_is_for_what_could_not_be_credited(shop):
    good, _ = await shop.service.record(a_payment())
    await shop.settle()
    with pytest.raises(PurchaseConflict):
        await shop.service.refunded(good.purchase_id, ADMIN, "Sent back.")
    shop.wallets.refuses = "The wallet is closed."
    bad, _ = await shop.service.record(a_payment())
    await shop.settle()
    [due] = (await shop.service.newest(PurchaseState.REFUND_DUE, None, 10)).purchases
    assert (due.purchase_id, due.reason) == (bad.purchase_id, "The wallet is closed.")
    with pytest.raises(InvalidPurchaseField):
        await shop.service.refunded(bad.purchase_id, ADMIN, "\n")
    for _ in range(2):
        done = await shop.service.refunded(bad.purchase_id, ADMIN, "Sent back: R-1.")
        assert (done.state, done.reason) == (PurchaseState.REFUNDED, "Sent back: R-1.")
    assert await shop.history(bad) == ["paid", "refused", "refunded"]
    with pytest.raises(UnknownPurchase):
        await shop.service.get(uuid4())


async def test_pages(shop):
    for _ in range(3):
        await shop.service.record(a_payment())
    first = await shop.service.newest(None, None, 2)
    rest = await shop.service.newest(None, first.next_cursor, 2)
    assert len({p.purchase_id for p in (*first.purchases, *rest.purchases)}) == 3
    assert rest.next_cursor is None
