"""The audit log: rows go in, and nothing else happens to them."""

from collections.abc import Callable
from datetime import datetime

import asyncpg
import pytest

from compliance.audit import AuditLog
from compliance.errors import InvalidField
from tests.support.gifts import START, account


def standing() -> Callable[[], datetime]:
    return lambda: START


@pytest.fixture
def audit(pool: asyncpg.Pool) -> AuditLog:
    return AuditLog(pool, clock=standing())


async def test_what_is_recorded_can_be_read(audit: AuditLog) -> None:
    record = await audit.record(
        actor_id=account(9), action="user.suspend", subject="user:1", details={"reason": "spam"}
    )
    assert (await audit.records()).items == (record,)
    assert (record.created_at, record.actor_id) == (START, account(9))
    assert record.details == {"reason": "spam"}


async def test_the_system_itself_may_act(audit: AuditLog) -> None:
    record = await audit.record(actor_id=None, action="key.rotate", subject="keys", details={})
    assert (await audit.records()).items[0].actor_id is record.actor_id is None


async def test_the_newest_come_first_page_by_page(audit: AuditLog) -> None:
    made = [
        await audit.record(actor_id=None, action="a", subject=str(each), details={})
        for each in range(5)
    ]
    first = await audit.records(limit=3)
    second = await audit.records(cursor=first.next_cursor, limit=3)
    assert [*first.items, *second.items] == made[::-1]
    assert second.next_cursor is None


async def test_a_bad_page_is_refused(audit: AuditLog) -> None:
    with pytest.raises(InvalidField):
        await audit.records(cursor="x")
    with pytest.raises(InvalidField):
        await audit.records(limit=10_000)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE compliance.audit_logs SET action = 'nothing'",
        "UPDATE compliance.audit_logs SET action = 'nothing' WHERE false",
        "DELETE FROM compliance.audit_logs",
        "TRUNCATE compliance.audit_logs",
        "INSERT INTO compliance.audit_logs SELECT * FROM compliance.audit_logs"
        " ON CONFLICT (record_id) DO UPDATE SET action = 'nothing'",
    ],
)
async def test_postgresql_refuses_any_change(audit, pool: asyncpg.Pool, change: str) -> None:
    record = await audit.record(actor_id=None, action="a", subject="s", details={})
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await pool.execute(change)
    assert (await audit.records()).items == (record,)
