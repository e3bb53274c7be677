"""The worker: reads the ledger's events, and hands each gift to transaction monitoring once.

    read → apply, all in one transaction → acknowledge

A crash anywhere leads to a repeat, which monitoring drops. When PostgreSQL is away, the worker
keeps what it has and tries again; that costs no entry a try. When a batch fails for another reason
it is halved until the bad gifts stand alone: the others go through, and an entry with a bad one is
left to be handed out again, until after `max_deliveries` it is set aside with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from compliance.aml.errors import StoreUnavailable
from compliance.aml.features import GiftActivity
from compliance.aml.intake import Entry, Intake, take_in
from compliance.aml.monitor import Outcome, TransactionMonitor
from compliance.aml.store import AmlStore
from config.aml import AmlSettings

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.05
MAX_REASON_CHARS = 2_000
PRUNE_ROWS = 5_000
"""Rows that one round of pruning removes at most, so that it never holds up the gifts."""


class EventSource(Protocol):
    """The event stream, as one member of its group of consumers sees it."""

    async def read(self, *, max_entries: int, block_ms: int) -> list[Entry]:
        """Entries handed to this consumer; none when nothing came in `block_ms`.

        Entries that another consumer took and did not finish are among them.
        """

    async def ack(self, entry_ids: Sequence[str]) -> None:
        """These are done with."""

    async def dead_letter(self, entry: Entry, reason: str) -> None:
        """Set the entry aside with the reason; it is done with, too."""


@dataclass(slots=True)
class AmlFigures:
    """What the worker counted since it started; read for metrics."""

    events_seen: int = 0
    duplicates: int = 0
    alerts_raised: int = 0
    alerts_extended: int = 0
    retries: int = 0
    """Entries left to be handed out again, and batches held back as PostgreSQL was away."""
    dead_letters: int = 0
    last_event_lag_s: float = 0.0
    """Time from the last event handled to when it was."""


class AmlWorker:
    """One consumer. Several may run, on this node and on others."""

    def __init__(
        self,
        source: EventSource,
        store: AmlStore,
        settings: AmlSettings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.figures = AmlFigures()
        self._source = source
        self._store = store
        self._settings = settings
        self._clock = clock
        self._monitor = TransactionMonitor(store, settings, clock=clock)
        self._prune_at: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.step()
            await self._prune_when_due()

    async def step(self) -> None:
        """Read once, and handle what came."""
        settings = self._settings
        entries = await self._source.read(
            max_entries=settings.batch_entries, block_ms=settings.block_ms
        )
        fit: list[Entry] = []
        for entry in entries:
            if entry.deliveries <= settings.max_deliveries:
                fit.append(entry)
            else:
                # Every try ended without an answer: what handles it may not live to tell.
                tries = entry.deliveries - 1
                await self._set_aside(entry, f"handed out {tries} times, and never answered")
        if fit:
            await self._handle(fit)

    async def _handle(self, entries: Sequence[Entry]) -> None:
        remembered_since = self._clock() - timedelta(seconds=self._settings.retention_s)
        intakes: list[Intake] = []
        for entry in entries:
            intakes.append(take_in(entry, remembered_since))
            await asyncio.sleep(0)  # a full entry takes milliseconds: let others run in between
        gifts = [gift for intake in intakes for gift in intake.gifts]
        failed = await self._apply(gifts) if gifts else {}
        done: list[str] = []
        for intake in intakes:
            faults = [*intake.faults]
            faults += [
                f"{gift.event_id}: {failed[gift.event_id]}"
                for gift in intake.gifts
                if gift.event_id in failed
            ]
            if not faults:
                done.append(intake.entry.entry_id)
            elif intake.entry.deliveries >= self._settings.max_deliveries:
                await self._set_aside(intake.entry, "; ".join(faults))
            else:
                self.figures.retries += 1
                log.warning(
                    "entry of the event stream could not be handled",
                    extra={"entry_id": intake.entry.entry_id, "reason": faults[0]},
                )
        if done:
            await self._source.ack(done)
        self._count(intakes)

    async def _apply(self, gifts: Sequence[GiftActivity]) -> dict[UUID, str]:
        """Apply `gifts`, by halves where they are too many or fail.

        What stays out: the bad gifts' event ids, and what is wrong with each.
        """
        if len(gifts) > self._settings.batch_gifts:
            return await self._apply_halves(gifts)
        try:
            outcome = await self._apply_when_possible(gifts)
        except Exception as error:
            if len(gifts) > 1:
                return await self._apply_halves(gifts)
            return {gifts[0].event_id: f"{type(error).__name__}: {error}"}
        self._report(outcome)
        return {}

    async def _apply_halves(self, gifts: Sequence[GiftActivity]) -> dict[UUID, str]:
        half = len(gifts) // 2
        return await self._apply(gifts[:half]) | await self._apply(gifts[half:])

    async def _apply_when_possible(self, gifts: Sequence[GiftActivity]) -> Outcome:
        pause_s = FIRST_RETRY_S
        while True:
            try:
                return await self._monitor.apply(gifts)
            except StoreUnavailable as error:
                self.figures.retries += 1
                log.warning(
                    "PostgreSQL is away: gifts wait",
                    extra={"gifts": len(gifts), "error": repr(error), "retry_in_s": pause_s},
                )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, self._settings.retry_max_s)

    async def _set_aside(self, entry: Entry, reason: str) -> None:
        await self._source.dead_letter(entry, reason[:MAX_REASON_CHARS])
        self.figures.dead_letters += 1
        log.error(
            "entry of the event stream set aside",
            extra={"entry_id": entry.entry_id, "reason": reason[:MAX_REASON_CHARS]},
        )

    async def _prune_when_due(self) -> None:
        now, settings = self._clock(), self._settings
        if self._prune_at is not None and now < self._prune_at:
            return
        try:
            removed = await self._store.prune(
                now - timedelta(seconds=settings.retention_s), PRUNE_ROWS
            )
        except StoreUnavailable as error:
            log.warning("old gifts could not be removed", extra={"error": repr(error)})
            removed = 0
        if removed < PRUNE_ROWS:
            self._prune_at = now + timedelta(seconds=settings.prune_interval_s)

    def _report(self, outcome: Outcome) -> None:
        self.figures.duplicates += outcome.duplicates
        self.figures.alerts_raised += len(outcome.raised)
        self.figures.alerts_extended += len(outcome.extended)
        for alert in outcome.raised:
            log.warning(
                "alert raised",
                extra={
                    "alert_id": str(alert.alert_id),
                    "alert_type": alert.alert_type,
                    "risk_score": alert.risk_score,
                },
            )

    def _count(self, intakes: Sequence[Intake]) -> None:
        self.figures.events_seen += sum(intake.events for intake in intakes)
        newest = max((intake.newest for intake in intakes if intake.newest), default=None)
        if newest is not None:
            self.figures.last_event_lag_s = max(0.0, (self._clock() - newest).total_seconds())
