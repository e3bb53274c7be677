"""What admins do with alerts, on a real PostgreSQL."""

import asyncio

import pytest

from compliance.aml.alerts import Alert, raised
from compliance.aml.detection import Detection
from compliance.aml.errors import InvalidTransition, UnknownAlert
from compliance.aml.score import AlertType, Finding
from compliance.aml.service import AlertService
from compliance.aml.store import AmlStore
from compliance.errors import InvalidField
from tests.support.gifts import START, account

ADMIN = account(9)


@pytest.fixture
def service(store: AmlStore, clock) -> AlertService:
    return AlertService(store, clock=clock)


async def save(store: AmlStore, *numbers: int) -> list[Alert]:
    alerts = []
    for number in numbers:
        reason = Finding(AlertType.STRUCTURING, 60, "Why.", {"payments": 3})
        detection = Detection(account(number), reason.rule, account(7), (reason,), (account(8),))
        alerts.append(raised(detection, account(number), START))
        async with store.transaction() as transaction:
            await transaction.save(alerts[-1])
    return alerts


async def test_the_newest_come_first_page_by_page(service: AlertService, store: AmlStore) -> None:
    alerts = await save(store, *range(1, 6))
    seen, cursor = [], None
    while True:
        page = await service.list(cursor=cursor, limit=2)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == alerts[::-1]


async def test_one_status_can_be_asked_for(service: AlertService, store: AmlStore) -> None:
    await save(store, 1, 2, 3)
    await service.assign(account(2), account(5), ADMIN)
    await service.resolve(account(3), "cleared", "Fine.", ADMIN)
    for status, number in (("open", 1), ("assigned", 2), ("resolved", 3)):
        page = await service.list(status=status)
        assert [alert.alert_id for alert in page.items] == [account(number)]


async def test_what_is_not_resolved_of_a_user_is_known(service, store: AmlStore) -> None:
    await save(store, 1, 2)
    [mine] = await service.unresolved_of(account(1))
    await service.assign(account(1), account(5), ADMIN)
    [still] = await service.unresolved_of(account(1))
    assert (mine.alert_id, still.status) == (account(1), "assigned")
    await service.resolve(account(1), "cleared", "Fine.", ADMIN)
    assert await service.unresolved_of(account(1)) == []
    assert await service.unresolved_of(account(7)) == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"status": "closed"}, "status"), ({"cursor": "x"}, "cursor"), ({"limit": 0}, "limit")],
)
async def test_what_cannot_be_listed_is_refused(service, asked, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        await service.list(**asked)
    assert refusal.value.field == field


async def test_an_alert_is_assigned_given_back_and_resolved(service, store, clock) -> None:
    [alert] = await save(store, 1)
    clock.advance(60)
    assigned = await service.assign(alert.alert_id, account(5), ADMIN)
    assert (assigned.status, assigned.assigned_to) == ("assigned", account(5))
    back = await service.assign(alert.alert_id, None, ADMIN)
    assert (back.status, back.assigned_to) == ("open", None)
    done = await service.resolve(alert.alert_id, "confirmed", "Same card.", ADMIN)
    assert (done.status, done.outcome, done.note) == ("resolved", "confirmed", "Same card.")
    assert done.resolved_at == clock()
    assert await service.get(alert.alert_id) == done


async def test_a_resolved_alert_stays_as_it_is(service: AlertService, store: AmlStore) -> None:
    [alert] = await save(store, 1)
    done = await service.resolve(alert.alert_id, "cleared", "Fine.", ADMIN)
    with pytest.raises(InvalidTransition):
        await service.resolve(alert.alert_id, "confirmed", "No.", ADMIN)
    with pytest.raises(InvalidTransition):
        await service.assign(alert.alert_id, None, ADMIN)
    assert await service.get(alert.alert_id) == done


async def test_of_two_at_once_one_resolves(service: AlertService, store: AmlStore) -> None:
    [alert] = await save(store, 1)
    answers = await asyncio.gather(
        *(service.resolve(alert.alert_id, "cleared", str(each), ADMIN) for each in range(4)),
        return_exceptions=True,
    )
    assert [type(each) for each in answers].count(InvalidTransition) == 3


async def test_an_unknown_alert_is_said_so(service: AlertService) -> None:
    for asked in (
        service.get(account(1)),
        service.assign(account(1), None, ADMIN),
        service.resolve(account(1), "cleared", "Fine.", ADMIN),
    ):
        with pytest.raises(UnknownAlert):
            await asked


async def test_a_refused_change_changes_nothing(service: AlertService, store: AmlStore) -> None:
    [alert] = await save(store, 1)
    with pytest.raises(InvalidField):
        await service.resolve(alert.alert_id, "cleared", " ", ADMIN)
    assert await service.get(alert.alert_id) == alert
