"""The checks' tables: what goes in comes out, bounded; outages are told from bad values."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from compliance.aml.alerts import Alert, AlertOutcome, AlertStatus, raised
from compliance.aml.detection import Detection
from compliance.aml.errors import StoreUnavailable
from compliance.aml.features import GiftActivity
from compliance.aml.graph import Edge, hour_of
from compliance.aml.score import AlertType, Finding
from compliance.aml.store import AmlStore, Span
from server.database import create_pool
from tests.support.gifts import START, account, gift
from tests.support.line import Line

HOUR = hour_of(START)


def alert(number: int, *, user: int = 1, score: int = 60) -> Alert:
    detection = Detection(
        user_id=account(user),
        alert_type=AlertType.GIFT_VELOCITY,
        transaction_id=account(7),
        reasons=(Finding(AlertType.GIFT_VELOCITY, score, "Why.", {"gifts": 35, "of": ["a"]}),),
        event_ids=(account(8), account(9)),
    )
    return raised(detection, account(number), START)


async def insert(store: AmlStore, *gifts: GiftActivity) -> list[GiftActivity]:
    async with store.transaction() as transaction:
        return await transaction.insert(gifts)


async def test_only_what_was_not_known_is_returned(store: AmlStore) -> None:
    first, second = gift(1), gift(2)
    assert await insert(store, first, first) == [first]
    assert await insert(store, first, second) == [second]
    assert await insert(store, first, second) == []


async def test_repeats_do_not_count_in_edges(store: AmlStore) -> None:
    first, second = gift(1, amount=10), gift(2, amount=30)
    await insert(store, first, first, second)
    await insert(store, first, gift(3, amount=2))
    async with store.transaction() as transaction:
        edges = await transaction.edges_from([account(1)], range(HOUR, HOUR + 1), 1, 10)
    assert edges == [Edge(account(1), account(2), HOUR, 42)]


async def test_edges_of_enough_weight_come_the_greatest_first(store: AmlStore) -> None:
    weights = {2: 100, 3: 300, 4: 200, 5: 99}
    await insert(store, *(gift(0, payee=to, amount=each) for to, each in weights.items()))
    await insert(store, gift(-7_200, payee=5, amount=1_000))
    async with store.transaction() as transaction:
        edges = await transaction.edges_from([account(1)], range(HOUR - 1, HOUR + 1), 100, 2)
    assert [edge.payee_id for edge in edges] == [account(3), account(4)]


async def test_recent_gifts_are_those_of_the_span_the_latest_first(store: AmlStore) -> None:
    gifts = [gift(at) for at in (0, 10, 20, 30, 40)]
    await insert(store, *gifts, gift(20, payer=3))
    span = Span(account(1), START, START + timedelta(seconds=40))
    async with store.transaction() as transaction:
        assert await transaction.recent([span], 10) == [gifts[3], gifts[2], gifts[1]]
        assert await transaction.recent([span], 2) == [gifts[3], gifts[2]]


async def test_payments_near_the_threshold_leave_the_others_out(store: AmlStore) -> None:
    amounts = (79, 80, 99, 100)
    await insert(store, *(gift(at, amount=each) for at, each in enumerate(amounts)))
    span = Span(account(1), START - timedelta(seconds=1), START + timedelta(seconds=9))
    async with store.transaction() as transaction:
        found = await transaction.near_threshold([span], 10, 80, 100)
    assert [each.amount_minor for each in found] == [99, 80]


async def test_an_alert_comes_back_as_it_was_saved(store: AmlStore) -> None:
    new = alert(1)
    async with store.transaction() as transaction:
        await transaction.save(new)
    assert await store.alert(new.alert_id) == new
    done = replace(
        new,
        status=AlertStatus.RESOLVED,
        risk_score=90,
        assigned_to=account(3),
        assigned_by=account(4),
        outcome=AlertOutcome.CLEARED,
        note="Fine.",
        resolved_by=account(5),
        resolved_at=START,
    )
    async with store.transaction() as transaction:
        assert await transaction.locked_alert(new.alert_id) == new
        await transaction.save(done)
    assert await store.alert(new.alert_id) == done
    assert await store.alert(account(99)) is None


async def test_one_user_and_type_has_one_alert_that_is_not_resolved(store: AmlStore) -> None:
    async def save_two() -> None:
        async with store.transaction() as transaction:
            await transaction.save(alert(1))
            await transaction.save(alert(2))

    with pytest.raises(asyncpg.UniqueViolationError):
        await save_two()
    assert await store.alerts(None, None, 10) == []


async def test_the_worst_that_was_judged_lately(store: AmlStore) -> None:
    def judged(number: int, score: int, hours_ago: int) -> Alert:
        at = START - timedelta(hours=hours_ago)
        done = replace(alert(number, score=score), status=AlertStatus.RESOLVED)
        return replace(done, outcome=AlertOutcome.CLEARED, note="x", resolved_at=at)

    async with store.transaction() as transaction:
        for each in (judged(1, 60, 1), judged(2, 80, 2), judged(3, 100, 30)):
            await transaction.save(each)
        await transaction.save(alert(4))
        found = await transaction.judged([account(1)], START - timedelta(hours=24))
        assert [each.alert_id for each in found] == [account(2)]
        assert [each.alert_id for each in await transaction.unresolved([account(1)])] == [
            account(4)
        ]


async def test_pruning_takes_what_is_old_by_portions(store: AmlStore, pool: asyncpg.Pool) -> None:
    await insert(store, *(gift(-7_200 + at, payee=at) for at in range(5)), gift(0))
    assert await store.prune(START - timedelta(hours=1), 3) == 3 + 3
    assert await store.prune(START - timedelta(hours=1), 3) == 2 + 2
    assert await store.prune(START - timedelta(hours=1), 3) == 0
    assert await pool.fetchval("SELECT count(*) FROM compliance.aml_activity") == 1


async def test_a_failed_transaction_leaves_nothing(store: AmlStore, pool: asyncpg.Pool) -> None:
    async def crash() -> None:
        async with store.transaction() as transaction:
            await transaction.insert([gift(0)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await crash()
    assert await pool.fetchval("SELECT count(*) FROM compliance.aml_activity") == 0


@pytest.mark.parametrize("amount", [0, -1, 2**63, 2**70])
async def test_an_impossible_amount_is_no_outage(store: AmlStore, amount: int) -> None:
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.DataError)):
        await insert(store, gift(0, amount=amount))


async def test_a_table_that_is_not_there_yet_is_an_outage(store: AmlStore, pool) -> None:
    await pool.execute("ALTER TABLE compliance.aml_edges RENAME TO later")
    with pytest.raises(StoreUnavailable):
        await insert(store, gift(0))
    await pool.execute("ALTER TABLE compliance.later RENAME TO aml_edges")
    assert len(await insert(store, gift(0))) == 1


async def test_a_postgresql_that_is_away_is_an_outage(database_url: str) -> None:
    async with Line(database_url) as line:
        pool = await create_pool(line.url)
        store = AmlStore(pool)
        assert await store.alerts(None, None, 1) == []
        await line.cut()
        with pytest.raises(StoreUnavailable):
            await insert(store, gift(0))
        with pytest.raises(StoreUnavailable):
            await store.alerts(None, None, 1)
        await line.mend()
        assert await store.alerts(None, None, 1) == []
        pool.terminate()
