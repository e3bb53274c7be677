"""Reconciliation: its runs, settlement files, and the work list of differences."""

from typing import Any
from uuid import UUID

from ledger.reconcile.runs import Reconciliation, RunKind
from ledger.reconcile.worklist import DifferenceState
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.admin.alerts import Assignment
from server.http.payouts import IdPaging
from server.http.shapes import Instant, Shape


class RunShape(Shape):
    """A finished run; `details` are counts by name."""

    reconciliation_id: UUID
    kind: RunKind
    source: str
    sha256: str | None
    started_by: UUID | None
    started_at: Instant
    finished_at: Instant
    checked: int
    matched: int
    differences: int
    details: dict[str, Any]

    @classmethod
    def of(cls, run: Reconciliation) -> "RunShape":
        """The shape of `run`."""
        return cls(
            reconciliation_id=run.reconciliation_id,
            kind=run.kind,
            source=run.source,
            sha256=None if run.file_hash is None else run.file_hash.hex(),
            started_by=run.started_by,
            started_at=run.started_at,
            finished_at=run.finished_at,
            checked=run.checked,
            matched=run.matched,
            differences=run.differences,
            details=dict(run.details),
        )


class RunList(Shape):
    """Runs, newest first."""

    reconciliations: list[RunShape]
    next_cursor: UUID | None


class DifferenceShape(Shape):
    """One line of the work list."""

    difference_id: UUID
    reconciliation_id: UUID
    check_name: str
    subject: str
    reason: str
    state: DifferenceState
    assigned_to: UUID | None
    note: str | None
    opened_at: Instant
    changed_at: Instant


class DifferenceList(Shape):
    """Differences, newest first."""

    differences: list[DifferenceShape]
    next_cursor: UUID | None


class DifferenceFilter(IdPaging):
    """Which differences; `state` left out means all."""

    state: DifferenceState | None = None


class Explanation(Body):
    """What became of a difference."""

    note: str


async def listed(call: Call) -> Answer:
    """Runs of reconciliation."""
    query = call.read(IdPaging)
    runs = await call.services.reconciler.reconciliations(query.cursor, query.limit)
    return Answer(
        RunList(
            reconciliations=[RunShape.of(run) for run in runs],
            next_cursor=runs[-1].reconciliation_id if len(runs) == query.limit else None,
        )
    )


async def shown(call: Call) -> Answer:
    """One run."""
    run = await call.services.reconciler.reconciliation(call.uuid("reconciliation_id"))
    return Answer(RunShape.of(run))


async def compare(call: Call) -> Answer:
    """Compare the ledger with itself and the event stream; again under its id is as once."""
    run = await call.services.reconciler.internal(
        call.uuid("reconciliation_id"), call.principal.user_id
    )
    return Answer(RunShape.of(run))


async def take_settlement(call: Call) -> Answer:
    """Match a provider's settlement file; again under its id is as once."""
    run = await call.services.reconciler.settlement(
        call.text_of("provider"),
        call.text,
        call.uuid("reconciliation_id"),
        call.principal.user_id,
    )
    return Answer(RunShape.of(run))


async def differences(call: Call) -> Answer:
    """The work list."""
    query = call.read(DifferenceFilter)
    found = await call.services.reconciler.differences(query.state, query.cursor, query.limit)
    return Answer(
        DifferenceList(
            differences=[DifferenceShape.model_validate(each) for each in found],
            next_cursor=found[-1].difference_id if len(found) == query.limit else None,
        )
    )


async def assign(call: Call) -> Answer:
    """Assign a difference to an admin, or to nobody."""
    assignee = call.read(Assignment).user_id
    if assignee is not None:
        await call.services.identity.user(assignee)
    changed = await call.services.reconciler.assign(call.uuid("difference_id"), assignee)
    return Answer(DifferenceShape.model_validate(changed))


async def resolve(call: Call) -> Answer:
    """Close a difference, with what became of it."""
    changed = await call.services.reconciler.resolve(
        call.uuid("difference_id"), call.read(Explanation).note
    )
    return Answer(DifferenceShape.model_validate(changed))
