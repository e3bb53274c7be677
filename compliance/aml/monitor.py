"""Transaction monitoring: gifts in, alerts out, each gift once in effect.

Everything happens in one transaction of PostgreSQL, which is the only place of state: the gifts are
remembered (which drops repeats), the windows that they touch are read back, the rules asked, and
alerts written. A crash at any point leaves all or nothing, and a restart loses no window. Workers
on several nodes take turns batch by batch; they give failover, and a batch the speed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from compliance.aml.alerts import Alert, extended, is_cooling, raised
from compliance.aml.detection import Detection, detect
from compliance.aml.features import GiftActivity
from compliance.aml.graph import HOUR_S, Edge, GiftGraph, hour_of
from compliance.aml.store import AmlStore, AmlTransaction, Span
from config.aml import AmlSettings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch of gifts led to."""

    unseen: int = 0
    duplicates: int = 0
    raised: tuple[Alert, ...] = ()
    extended: tuple[Alert, ...] = ()


class TransactionMonitor:
    """The rules over the store."""

    def __init__(
        self, store: AmlStore, settings: AmlSettings, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    async def apply(self, gifts: Sequence[GiftActivity]) -> Outcome:
        """Take in `gifts`, of which some may have been seen before.

        Raises StoreUnavailable, and whatever a gift raises that can't be stored or reckoned with;
        nothing has changed then.
        """
        async with self._store.transaction() as transaction:
            await transaction.lock()
            unseen = await transaction.insert(gifts)
            if not unseen:
                return Outcome(duplicates=len(gifts))
            detections = await self._detect(transaction, unseen)
            new, known = await self._alert(transaction, detections)
        return Outcome(len(unseen), len(gifts) - len(unseen), tuple(new), tuple(known))

    async def _detect(
        self, transaction: AmlTransaction, unseen: Sequence[GiftActivity]
    ) -> list[Detection]:
        by_payer = _by_payer(unseen)
        history = _by_payer(await self._history(transaction, by_payer))
        graph = self._graph(await self._edges(transaction, unseen))
        detections: list[Detection] = []
        for payer_id, own in by_payer.items():
            detections += detect(own, history.get(payer_id, ()), graph, self._settings)
            await asyncio.sleep(0)  # hundreds of payers take a while: let others run in between
        return detections

    async def _history(
        self, transaction: AmlTransaction, by_payer: Mapping[UUID, Sequence[GiftActivity]]
    ) -> list[GiftActivity]:
        """Gifts of the payers that share a window with the new ones, before and after them."""
        settings, most = self._settings, self._settings.history_per_payer
        recent = await transaction.recent(_spans(by_payer, settings.velocity_window_s), most)
        near = await transaction.near_threshold(
            _spans(by_payer, settings.structuring_window_s),
            most,
            settings.structuring_floor_minor,
            settings.structuring_threshold_minor,
        )
        return recent + near

    async def _edges(
        self, transaction: AmlTransaction, unseen: Sequence[GiftActivity]
    ) -> list[Edge]:
        """The part of the graph that a circle through one of the gifts can run through.

        From the payees hop by hop; few of them give anything, so mostly this ends at once. The
        last hop is the gifts' own, from those payers that were reached.
        """
        settings = self._settings
        hours = [hour_of(gift.occurred_at) for gift in unseen]
        window = settings.circular_window_s // HOUR_S
        span = range(min(hours) - window + 1, max(hours) + window)
        payers = {gift.payer_id for gift in unseen}
        known: list[Edge] = []
        visited: set[UUID] = set()
        ahead = {gift.payee_id for gift in unseen}
        for hop in range(settings.circular_max_length):
            if hop == settings.circular_max_length - 1:
                ahead &= payers
            if not ahead:
                break
            known += await transaction.edges_from(
                sorted(ahead), span, settings.circular_min_amount_minor, settings.edges_per_batch
            )
            visited |= ahead
            ahead = {edge.payee_id for edge in known} - visited
        return known

    def _graph(self, edges: Iterable[Edge]) -> GiftGraph:
        settings = self._settings
        return GiftGraph(
            edges,
            window_hours=settings.circular_window_s // HOUR_S,
            max_length=settings.circular_max_length,
            min_amount_minor=settings.circular_min_amount_minor,
            min_percent=settings.circular_min_return_percent,
        )

    async def _alert(
        self, transaction: AmlTransaction, detections: Sequence[Detection]
    ) -> tuple[list[Alert], list[Alert]]:
        """Raise new alerts and extend known ones; both kinds apart."""
        if not detections:
            return [], []
        now, settings = self._clock(), self._settings
        users = sorted({detection.user_id for detection in detections})
        # Locked first: what a person resolves meanwhile is then among the judged.
        unresolved = {
            (alert.user_id, alert.alert_type): alert
            for alert in await transaction.unresolved(users)
        }
        since = now - timedelta(seconds=settings.alert_cooldown_s)
        judged = {
            (alert.user_id, alert.alert_type): alert
            for alert in await transaction.judged(users, since)
        }
        new, known = [], []
        for detection in detections:
            key = (detection.user_id, detection.alert_type)
            if key in unresolved:
                most = settings.alert_max_event_ids
                known.append(extended(unresolved[key], detection, most, now))
            elif not is_cooling(judged.get(key), detection):
                new.append(raised(detection, uuid7(), now))
        await transaction.save(*new, *known)
        return new, known


def _by_payer(gifts: Iterable[GiftActivity]) -> dict[UUID, list[GiftActivity]]:
    by_payer: dict[UUID, list[GiftActivity]] = defaultdict(list)
    for gift in gifts:
        by_payer[gift.payer_id].append(gift)
    return by_payer


def _spans(by_payer: Mapping[UUID, Sequence[GiftActivity]], window_s: int) -> list[Span]:
    window = timedelta(seconds=window_s)
    return [
        Span(
            payer_id,
            min(gift.occurred_at for gift in gifts) - window,
            max(gift.occurred_at for gift in gifts) + window,
        )
        for payer_id, gifts in by_payer.items()
    ]
