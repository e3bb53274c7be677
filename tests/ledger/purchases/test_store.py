"""Purchases on a real PostgreSQL."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from ledger.errors import IdempotencyMismatch
from ledger.purchases.errors import PaymentKnown, UnknownPurchase
from ledger.purchases.states import TRANSITIONS, PurchaseState
from tests.support.purchase_house import a_payment


async def test_a_payment_is_recorded_once(shop, clock):
    record = a_payment()
    purchase, repeated = await shop.store.add(record, "COIN", clock())
    assert not repeated
    assert (purchase.state, purchase.version) == (PurchaseState.PAID, 1)
    assert await shop.store.add(record, "COIN", clock()) == (purchase, True)
    assert await shop.store.get(purchase.purchase_id) == purchase
    with pytest.raises(IdempotencyMismatch):
        await shop.store.add(replace(record, amount_minor=1), "COIN", clock())
    with pytest.raises(PaymentKnown):
        await shop.store.add(replace(record, request_id=uuid4()), "COIN", clock())
    [event] = await shop.store.history(purchase)
    assert event.data.reference == record.reference


async def test_of_many_records_of_one_payment_one_is_taken(shop, clock):
    records = [a_payment(reference="PAY-1") for _ in range(8)]
    outcomes = await asyncio.gather(
        *(shop.store.add(record, "COIN", clock()) for record in records), return_exceptions=True
    )
    assert sum(isinstance(outcome, PaymentKnown) for outcome in outcomes) == 7
    assert await shop.events.head() == 1


async def test_lists_are_pages(shop, clock):
    made = [(await shop.store.add(a_payment(), "COIN", clock()))[0] for _ in range(3)]
    first = await shop.store.newest(None, None, 2)
    rest = await shop.store.newest(PurchaseState.PAID, first[-1].purchase_id, 2)
    assert {p.purchase_id for p in (*first, *rest)} == {p.purchase_id for p in made}
    assert await shop.store.newest(PurchaseState.REFUNDED, None, 2) == []


async def test_unknown_ones_and_changes_that_are_none(shop, clock):
    purchase, _ = await shop.store.add(a_payment(), "COIN", clock())
    assert await shop.store.change(purchase.purchase_id, lambda _: None, clock()) == purchase
    with pytest.raises(UnknownPurchase):
        await shop.store.get(uuid4())
    with pytest.raises(UnknownPurchase):
        await shop.store.change(uuid4(), lambda _: None, clock())


async def test_the_database_refuses_what_there_can_t_be(shop, clock, pool):
    await shop.store.add(a_payment(), "COIN", clock())
    definition = await pool.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'purchases_state_check'"
    )
    assert {state for state in TRANSITIONS if f"'{state}'" in definition} == set(PurchaseState)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE ledger.purchases SET state = 'credited'")
    for statement in (
        "DELETE FROM ledger.purchases",
        "UPDATE ledger.purchases SET amount_minor = 1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(statement)
