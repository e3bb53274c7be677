"""Transaction monitoring on a real PostgreSQL: each gift once in effect, alerts without a storm."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from compliance.aml.alerts import AlertStatus, assigned, resolved
from compliance.aml.features import GiftActivity
from compliance.aml.monitor import Outcome, TransactionMonitor
from compliance.aml.score import AlertType
from compliance.aml.store import AmlStore
from config.aml import AmlSettings
from tests.support.gifts import account, gift

LIMITS = AmlSettings(velocity_max_gifts=5, alert_cooldown_s=3_600, alert_max_event_ids=8)


@pytest.fixture
def monitor(store: AmlStore, clock) -> TransactionMonitor:
    return TransactionMonitor(store, LIMITS, clock=clock)


def burst(count: int, start_s: float = 0, *, payer: int = 1) -> list[GiftActivity]:
    return [gift(start_s + at / 10, payer=payer) for at in range(count)]


async def resolve(store: AmlStore, clock) -> None:
    [alert] = await store.alerts("open", None, 2)
    async with store.transaction() as transaction:
        await transaction.save(resolved(alert, "cleared", "A raffle.", account(9), clock()))


async def test_a_usual_gift_has_no_effect_but_to_be_remembered(monitor, pool) -> None:
    assert await monitor.apply([gift()]) == Outcome(unseen=1)
    assert await pool.fetchval("SELECT count(*) FROM compliance.aml_activity") == 1


async def test_a_burst_raises_one_alert(monitor: TransactionMonitor, store: AmlStore) -> None:
    gifts = burst(6)
    outcome = await monitor.apply(gifts)
    assert outcome.unseen == 6
    [alert] = outcome.raised
    assert alert == await store.alert(alert.alert_id)
    assert (alert.user_id, alert.alert_type) == (account(1), AlertType.GIFT_VELOCITY)
    assert alert.event_ids == tuple(each.event_id for each in gifts)
    assert alert.transaction_id == gifts[-1].transaction_id
    assert alert.reasons[0].explanation.startswith("6 gifts worth 60 coins in 60 s")


async def test_a_window_goes_on_over_batches_and_restarts(store: AmlStore, clock) -> None:
    outcomes = []
    for each in burst(6):
        restarted = TransactionMonitor(store, LIMITS, clock=clock)
        outcomes.append(await restarted.apply([each]))
    assert [len(outcome.raised) for outcome in outcomes] == [0, 0, 0, 0, 0, 1]


async def test_repeats_have_no_effect(monitor: TransactionMonitor, store: AmlStore, pool) -> None:
    gifts = burst(4)
    await monitor.apply(gifts)
    assert await monitor.apply(gifts) == Outcome(duplicates=4)
    assert await monitor.apply([*gifts, *gifts[:2]]) == Outcome(duplicates=6)
    assert await store.alerts(None, None, 1) == []
    assert await pool.fetchval("SELECT sum(amount_minor) FROM compliance.aml_edges") == 40


async def test_more_of_the_same_extends_the_alert(monitor, store: AmlStore, clock) -> None:
    [alert] = (await monitor.apply(burst(6))).raised
    clock.advance(5)
    outcome = await monitor.apply(burst(6, 5))
    assert outcome.raised == ()
    [extended] = outcome.extended
    assert extended.alert_id == alert.alert_id
    assert extended.risk_score > alert.risk_score
    assert extended.reasons[0].figures["gifts"] == 12
    assert len(extended.event_ids) == 8
    assert extended.updated_at == clock()
    assert await store.alerts(None, None, 10) == [extended]


async def test_users_have_alerts_of_their_own(monitor: TransactionMonitor) -> None:
    gifts = [*burst(6, payer=1), *burst(5, payer=2), *burst(7, payer=3)]
    random.Random(4).shuffle(gifts)
    outcome = await monitor.apply(gifts)
    assert {alert.user_id for alert in outcome.raised} == {account(1), account(3)}


async def test_after_a_resolution_only_worse_or_later_raises_again(monitor, store, clock) -> None:
    await monitor.apply(burst(7))
    await resolve(store, clock)
    clock.advance(120)
    assert (await monitor.apply(burst(7, 120))).raised == ()
    clock.advance(120)
    [worse] = (await monitor.apply(burst(9, 240))).raised
    await resolve(store, clock)
    clock.advance(3_600)
    [later] = (await monitor.apply(burst(6, 3_840))).raised
    assert later.risk_score < worse.risk_score
    assert len(await store.alerts(None, None, 10)) == 3


async def test_what_a_person_has_taken_on_is_extended_too(monitor, store, clock) -> None:
    [alert] = (await monitor.apply(burst(6))).raised
    async with store.transaction() as transaction:
        await transaction.save(assigned(alert, account(8), account(9), clock()))
    [extended] = (await monitor.apply(burst(3, 5))).extended
    assert (extended.status, extended.assigned_to) == (AlertStatus.ASSIGNED, account(8))


async def test_structuring_over_hours(monitor: TransactionMonitor) -> None:
    for hour in (0, 5):
        assert (await monitor.apply([gift(hour * 3_600, amount=90_000)])).raised == ()
    [alert] = (await monitor.apply([gift(20 * 3_600, amount=99_999)])).raised
    assert alert.alert_type == AlertType.STRUCTURING
    assert len(alert.event_ids) == 3


@pytest.mark.parametrize("length", [2, 3, 4])
async def test_a_circle_is_found_whoever_closes_it(monitor, length: int) -> None:
    ring = [
        gift(60 * each, payer=each, payee=each % length + 1, amount=6_000)
        for each in range(1, length + 1)
    ]
    for each in ring[:-1]:
        assert (await monitor.apply([each])).raised == ()
    [alert] = (await monitor.apply([ring[-1]])).raised
    assert alert.alert_type == AlertType.CIRCULAR_GIFTING
    assert alert.user_id == account(length)
    assert len(alert.reasons[0].figures["accounts"]) == length


async def test_a_circle_in_one_batch_is_told_for_every_giver(monitor: TransactionMonitor) -> None:
    ring = [gift(each, payer=each, payee=each % 4 + 1, amount=6_000) for each in range(1, 5)]
    outcome = await monitor.apply(ring)
    assert {alert.user_id for alert in outcome.raised} == {account(each) for each in range(1, 5)}


async def test_gifts_that_come_back_too_late_or_too_small_are_no_circle(monitor) -> None:
    await monitor.apply([gift(0, amount=6_000)])
    assert (await monitor.apply([gift(60, payer=2, payee=1, amount=4_999)])).raised == ()
    day = 86_400
    assert (await monitor.apply([gift(day, payer=2, payee=1, amount=6_000)])).raised == ()


async def test_workers_at_the_same_time_miss_nothing_between_them(pool, clock) -> None:
    """Neither sees the other's gifts until it is done; together they are a burst and a circle."""
    monitors = [TransactionMonitor(AmlStore(pool), LIMITS, clock=clock) for _ in range(4)]
    shares = [burst(2, each) for each in range(4)]
    shares[0].append(gift(9, payer=5, payee=6, amount=6_000))
    shares[1].append(gift(9, payer=6, payee=5, amount=6_000))
    shares[2] += shares[0]
    outcomes = await asyncio.gather(
        *(monitor.apply(share) for monitor, share in zip(monitors, shares, strict=True))
    )
    assert sum(outcome.unseen for outcome in outcomes) == 10
    assert sum(outcome.duplicates for outcome in outcomes) == 3
    raised = [alert.alert_type for outcome in outcomes for alert in outcome.raised]
    assert sorted(raised) == [AlertType.CIRCULAR_GIFTING, AlertType.GIFT_VELOCITY]


async def test_a_bad_gift_leaves_nothing_of_its_batch(monitor, pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.DataError):
        await monitor.apply([*burst(6), gift(amount=2**70)])
    with pytest.raises(asyncpg.CheckViolationError):
        await monitor.apply([*burst(6), gift(amount=-5)])
    assert await pool.fetchval("SELECT count(*) FROM compliance.aml_activity") == 0
    assert await pool.fetchval("SELECT count(*) FROM compliance.aml_alerts") == 0


async def test_a_gift_at_the_end_of_time_is_no_outage(monitor: TransactionMonitor) -> None:
    far = replace(gift(), occurred_at=datetime.max.replace(tzinfo=UTC))
    with pytest.raises(OverflowError):
        await monitor.apply([far])
