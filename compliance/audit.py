"""The audit log: who did what to what, when. Rows are only ever added; PostgreSQL refuses the rest.

The only place of the audit log that knows the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from compliance.paging import Page, PageRequest

_ADD = """
INSERT INTO compliance.audit_logs (record_id, actor_id, action, subject, details, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_NEWEST = """
SELECT record_id, actor_id, action, subject, details, created_at FROM compliance.audit_logs
WHERE $1::uuid IS NULL OR record_id < $1
ORDER BY record_id DESC
LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing done. `actor_id` is None where the system itself did it."""

    record_id: UUID
    actor_id: UUID | None
    action: str
    subject: str
    details: dict[str, Any]
    created_at: datetime


class AuditLog:
    """Every method may raise OSError and the driver's errors where PostgreSQL is away."""

    def __init__(
        self, pool: asyncpg.Pool[asyncpg.Record], *, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._clock = clock

    async def record(
        self, *, actor_id: UUID | None, action: str, subject: str, details: Mapping[str, Any]
    ) -> AuditRecord:
        """Write down what was done; it is durable on return.

        `action` is a verb in at most 100 characters (`user.suspend`), `subject` what it was done
        to in at most 200 (`user:<id>`), `details` JSON values. Never put secrets in.
        """
        record = AuditRecord(uuid7(), actor_id, action, subject, dict(details), self._clock())
        await self._pool.execute(
            _ADD,
            record.record_id,
            record.actor_id,
            record.action,
            record.subject,
            record.details,
            record.created_at,
        )
        return record

    async def records(self, *, cursor: str | None = None, limit: int = 50) -> Page[AuditRecord]:
        """What was done, newest first. Raises InvalidField."""
        asked = PageRequest.parse(cursor, limit)
        rows = await self._pool.fetch(_NEWEST, asked.before, asked.limit + 1)
        records = [AuditRecord(**row) for row in rows]
        return asked.page([(record.record_id, record) for record in records])
