"""The manual provider's files: payouts out, results in."""

from typing import Final
from uuid import UUID

from aiohttp import web

from ledger.payouts.batches import Batch, ImportReport
from server.gateway.route import Answer, Call
from server.http.payouts import IdPaging
from server.http.shapes import Instant, Shape

CSV: Final = "text/csv"


class BatchShape(Shape):
    """A file of payouts; count, sum and checksum are known once it is complete."""

    batch_id: UUID
    created_by: UUID
    created_at: Instant
    sealed_at: Instant | None
    lines: int | None
    total_minor: int | None
    sha256: str | None

    @classmethod
    def of(cls, batch: Batch) -> "BatchShape":
        """The shape of `batch`."""
        return cls(
            batch_id=batch.batch_id,
            created_by=batch.created_by,
            created_at=batch.created_at,
            sealed_at=batch.sealed_at,
            lines=batch.lines,
            total_minor=batch.total_minor,
            sha256=None if batch.sha256 is None else batch.sha256.hex(),
        )


class BatchList(Shape):
    """Batches, newest first."""

    batches: list[BatchShape]
    next_cursor: UUID | None


class RefusedLine(Shape):
    """A line of a file that was not applied, and why."""

    payout_id: UUID
    code: str
    message: str


class ImportShape(Shape):
    """What became of a file of results."""

    import_id: UUID
    lines: int
    news: int
    known: int
    refused: list[RefusedLine]

    @classmethod
    def of(cls, report: ImportReport) -> "ImportShape":
        """The shape of `report`."""
        return cls(
            import_id=report.import_id,
            lines=report.lines,
            news=report.news,
            known=report.known,
            refused=[RefusedLine.model_validate(line) for line in report.refused],
        )


async def make(call: Call) -> Answer:
    """Take what waits to be sent into a file of payouts; again under its id is as once."""
    batch = await call.services.payouts.batches.make(call.uuid("batch_id"), call.principal.user_id)
    return Answer(BatchShape.of(batch))


async def listed(call: Call) -> Answer:
    """Files of payouts."""
    query = call.read(IdPaging)
    page = await call.services.payouts.batches.batches(query.cursor, query.limit)
    return Answer(
        BatchList(
            batches=[BatchShape.of(batch) for batch in page.batches],
            next_cursor=page.next_cursor,
        )
    )


async def file(call: Call) -> web.Response:
    """The file of payouts to pay, once all of them are booked."""
    batch_id = call.uuid("batch_id")
    return web.Response(
        body=await call.services.payouts.batches.file(batch_id),
        content_type=CSV,
        charset="utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="payouts-{batch_id}.csv"',
            "Cache-Control": "no-store",
        },
    )


async def take_results(call: Call) -> Answer:
    """Apply a file of results; again under its id is as once."""
    report = await call.services.payouts.batches.take_results(
        call.uuid("import_id"), call.text.encode(), call.principal.user_id
    )
    return Answer(ImportShape.of(report))


async def report(call: Call) -> Answer:
    """What became of a file of results."""
    return Answer(
        ImportShape.of(await call.services.payouts.batches.report(call.uuid("import_id")))
    )
