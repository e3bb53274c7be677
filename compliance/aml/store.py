"""The checks' tables in PostgreSQL; only this file of `compliance.aml` knows the driver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from compliance.aml.alerts import Alert, AlertOutcome, AlertStatus
from compliance.aml.errors import StoreUnavailable
from compliance.aml.features import GiftActivity
from compliance.aml.graph import Edge, hour_of
from compliance.aml.score import AlertType, Finding
from config.sql import load_queries

_ACTIVITY = load_queries("compliance.aml", "sql/activity.sql")
_ALERTS = load_queries("compliance.aml", "sql/alerts.sql")

_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.SyntaxOrAccessError,
)
"""What is no fault of the values sent, and passes: no connection, shutdown, failover, time-out,
deadlock, a migration or a right that is missing yet."""

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)


@dataclass(frozen=True, slots=True)
class Span:
    """The time in which one payer's gifts are asked for, both ends left out."""

    payer_id: UUID
    since: datetime
    until: datetime


class AmlStore:
    """Reads, and transactions for all that is written. Everything raises StoreUnavailable."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AmlTransaction]:
        """All or nothing of what is done inside."""
        with _translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield AmlTransaction(connection)

    async def alert(self, alert_id: UUID) -> Alert | None:
        with _translated():
            row = await self._pool.fetchrow(_ALERTS["get"], alert_id)
        return _alert(row) if row else None

    async def alerts(self, status: str | None, before: UUID | None, limit: int) -> list[Alert]:
        """The newest alerts, of one status and older than `before` where these are given."""
        with _translated():
            rows = await self._pool.fetch(_ALERTS["newest"], status, before, limit)
        return [_alert(row) for row in rows]

    async def unresolved_of(self, user_id: UUID) -> list[Alert]:
        """The user's alerts that are not resolved, oldest first; there is at most one a type."""
        with _translated():
            rows = await self._pool.fetch(_ALERTS["unresolved_of"], user_id)
        return [_alert(row) for row in rows]

    async def prune(self, before: datetime, most: int) -> int:
        """Forget up to `most` gifts and edges each from before; the count of what was removed."""
        with _translated():
            gifts = await self._pool.execute(_ACTIVITY["prune_activity"], before, most)
            edges = await self._pool.execute(_ACTIVITY["prune_edges"], hour_of(before), most)
        return _affected(gifts) + _affected(edges)


class AmlTransaction:
    """What can be done in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Wait until no other worker writes gifts; held to the end of the transaction."""
        await self._connection.execute(_ACTIVITY["lock"])

    async def insert(self, gifts: Sequence[GiftActivity]) -> list[GiftActivity]:
        """Remember `gifts`, and return those that were not known."""
        rows = await self._connection.fetch(
            _ACTIVITY["insert"],
            [gift.event_id for gift in gifts],
            [gift.transaction_id for gift in gifts],
            [gift.payer_id for gift in gifts],
            [gift.payee_id for gift in gifts],
            [gift.amount_minor for gift in gifts],
            [gift.occurred_at for gift in gifts],
        )
        unknown = {row["event_id"] for row in rows}
        unseen = list({gift.event_id: gift for gift in gifts if gift.event_id in unknown}.values())
        await self._connection.execute(
            _ACTIVITY["add_edges"],
            [gift.payer_id for gift in unseen],
            [gift.payee_id for gift in unseen],
            [hour_of(gift.occurred_at) for gift in unseen],
            [gift.amount_minor for gift in unseen],
        )
        return unseen

    async def recent(self, spans: Sequence[Span], most: int) -> list[GiftActivity]:
        """The latest gifts of each span, at most `most` of each."""
        return await self._gifts(_ACTIVITY["recent"], spans, most)

    async def near_threshold(
        self, spans: Sequence[Span], most: int, floor_minor: int, threshold_minor: int
    ) -> list[GiftActivity]:
        """The latest payments of each span, at most `most`, just below the threshold."""
        query = _ACTIVITY["near_threshold"]
        return await self._gifts(query, spans, most, floor_minor, threshold_minor)

    async def edges_from(
        self, payers: Sequence[UUID], hours: range, min_amount_minor: int, most_pairs: int
    ) -> list[Edge]:
        """Edges in `hours` of the `most_pairs` pairs that carry most, and at least the minimum."""
        rows = await self._connection.fetch(
            _ACTIVITY["edges_from"],
            payers,
            hours.start - 1,
            hours.stop,
            min_amount_minor,
            most_pairs,
        )
        return [
            Edge(row["payer_id"], row["payee_id"], hour, amount)
            for row in rows
            for hour, amount in zip(row["hours"], row["amounts"], strict=True)
        ]

    async def unresolved(self, users: Sequence[UUID]) -> list[Alert]:
        """The users' alerts that are not resolved, locked."""
        return [_alert(row) for row in await self._connection.fetch(_ALERTS["unresolved"], users)]

    async def judged(self, users: Sequence[UUID], since: datetime) -> list[Alert]:
        """Of each user and type the alert with the greatest score that was resolved `since`."""
        rows = await self._connection.fetch(_ALERTS["judged"], users, since)
        return [_alert(row) for row in rows]

    async def locked_alert(self, alert_id: UUID) -> Alert | None:
        row = await self._connection.fetchrow(_ALERTS["lock"], alert_id)
        return _alert(row) if row else None

    async def save(self, *alerts: Alert) -> None:
        """Write new alerts, and what changed in known ones."""
        await self._connection.executemany(_ALERTS["save"], [_values(alert) for alert in alerts])

    async def _gifts(self, query: str, spans: Sequence[Span], *rest: int) -> list[GiftActivity]:
        rows = await self._connection.fetch(
            query,
            [span.payer_id for span in spans],
            [span.since for span in spans],
            [span.until for span in spans],
            *rest,
        )
        return [GiftActivity(**row) for row in rows]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _PASSING as error:
        raise StoreUnavailable(str(error)) from error


def _alert(row: asyncpg.Record) -> Alert:
    values = dict(row)
    values["alert_type"] = AlertType(values["alert_type"])
    values["status"] = AlertStatus(values["status"])
    values["outcome"] = AlertOutcome(values["outcome"]) if values["outcome"] else None
    values["reasons"] = tuple(
        Finding(**{**reason, "rule": AlertType(reason["rule"])}) for reason in values["reasons"]
    )
    values["event_ids"] = tuple(values["event_ids"])
    return Alert(**values)


def _values(alert: Alert) -> tuple[object, ...]:
    """The arguments of the query `save`."""
    return (
        alert.alert_id,
        alert.user_id,
        alert.transaction_id,
        alert.alert_type,
        alert.risk_score,
        alert.status,
        [asdict(reason) for reason in alert.reasons],
        alert.event_ids,
        alert.assigned_to,
        alert.assigned_by,
        alert.outcome,
        alert.note,
        alert.resolved_by,
        alert.created_at,
        alert.updated_at,
        alert.resolved_at,
    )


def _affected(status: str) -> int:
    """The count in PostgreSQL's answer to a command, such as `DELETE 3`."""
    return int(status.rpartition(" ")[2])
