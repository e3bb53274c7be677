"""The audit log, read by admins."""

from typing import Any
from uuid import UUID

from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Paging, Shape


class AuditRecordShape(Shape):
    """Who did what to whom."""

    record_id: UUID
    actor_id: UUID | None
    action: str
    subject: str
    details: dict[str, Any]
    created_at: Instant


class AuditPage(Shape):
    """Audit records, newest first."""

    records: list[AuditRecordShape]
    next_cursor: str | None


async def listed(call: Call) -> Answer:
    """Read the audit log."""
    query = call.read(Paging)
    page = await call.services.audit.records(cursor=query.cursor, limit=query.limit)
    return Answer(
        AuditPage(
            records=[AuditRecordShape.model_validate(record) for record in page.items],
            next_cursor=page.next_cursor,
        )
    )
