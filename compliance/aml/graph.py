"""Who gave whom how much: a directed graph of gifts, and the circles in it.

A circle is a path of gifts that comes back to where it began: A → B → A, A → B → C → A and so on.
Amounts are summed for each pair of accounts by whole hours, so a window is a number of hours, the
hour of the gift among them.

Source: FATF, Virtual Assets Red Flag Indicators (2020): value sent back and forth between accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from compliance.aml.features import Circle

HOUR_S = 3_600
MOST_STEPS = 5_000
"""Hops that one search tries at most: a dense web of accounts must not stop the worker."""

Hops: TypeAlias = Mapping[UUID, Mapping[UUID, int]]
"""Payer → payee → coins in one window, the greatest of a payer first."""


def hour_of(at: datetime) -> int:
    """Whole hours since 1970."""
    return int(at.timestamp()) // HOUR_S


@dataclass(frozen=True, slots=True)
class Edge:
    """What one account gave another within one hour."""

    payer_id: UUID
    payee_id: UUID
    hour: int
    amount_minor: int


class GiftGraph:
    """Edges of many hours, searched in windows of `window_hours`.

    A hop that carries less than `min_amount_minor` in a window is no hop, and a circle that
    returns less than `min_percent` no circle.
    """

    def __init__(
        self,
        edges: Iterable[Edge],
        *,
        window_hours: int,
        max_length: int,
        min_amount_minor: int,
        min_percent: int,
    ) -> None:
        self._edges = tuple(edges)
        self._hours = sorted({edge.hour for edge in self._edges})
        self._window_hours = window_hours
        self._max_length = max_length
        self._min_amount_minor = min_amount_minor
        self._min_percent = min_percent
        self._windows: dict[int, Hops] = {}
        self._answers: dict[tuple[UUID, UUID, int], Circle | None] = {}

    def best_circle(self, payer_id: UUID, payee_id: UUID, hour: int) -> Circle | None:
        """The circle with the greatest return that a gift of this `hour` is part of.

        Every window that holds the hour is searched: a late gift may be what closes a circle of
        gifts that came after it.
        """
        asked = (payer_id, payee_id, hour)
        if asked not in self._answers:
            self._answers[asked] = self._find(*asked)
        return self._answers[asked]

    def _find(self, payer_id: UUID, payee_id: UUID, hour: int) -> Circle | None:
        best: Circle | None = None
        for end in self._hours:
            if hour <= end < hour + self._window_hours:
                at_least = best.return_percent + 1 if best else self._min_percent
                search = _Search(self._window(end), payer_id, self._max_length, at_least)
                best = search.run(payee_id) or best
        return best

    def _window(self, end: int) -> Hops:
        if end not in self._windows:
            sums: dict[UUID, dict[UUID, int]] = {}
            for edge in self._edges:
                if end - self._window_hours < edge.hour <= end:
                    hops = sums.setdefault(edge.payer_id, {})
                    hops[edge.payee_id] = hops.get(edge.payee_id, 0) + edge.amount_minor
            self._windows[end] = {payer: self._greatest_first(hops) for payer, hops in sums.items()}
        return self._windows[end]

    def _greatest_first(self, hops: Mapping[UUID, int]) -> dict[UUID, int]:
        kept = [hop for hop in hops.items() if hop[1] >= self._min_amount_minor]
        return dict(sorted(kept, key=lambda hop: -hop[1]))


class _Search:
    """Depth first from the payee back to the payer.

    The return of a path only falls as it grows, so a path is left as soon as it is no better than
    the best circle yet.
    """

    def __init__(self, hops: Hops, payer_id: UUID, max_length: int, min_percent: int) -> None:
        self._hops = hops
        self._payer_id = payer_id
        self._max_length = max_length
        self._at_least = min_percent
        self._steps_left = MOST_STEPS
        self._best: Circle | None = None

    def run(self, payee_id: UUID) -> Circle | None:
        given = self._hops.get(self._payer_id, {}).get(payee_id)
        if given is not None:
            self._visit(Circle((self._payer_id, payee_id), given, given))
        return self._best

    def _visit(self, path: Circle) -> None:
        """Close `path`, then try every way to grow it."""
        onward = self._hops.get(path.accounts[-1], {})
        returned = onward.get(self._payer_id)
        if returned is not None:
            self._keep(_grown(path, path.accounts, returned))
        if len(path.accounts) == self._max_length:
            return
        for account, amount_minor in onward.items():
            if self._steps_left == 0:
                return
            self._steps_left -= 1
            if account in path.accounts:
                continue
            longer = _grown(path, (*path.accounts, account), amount_minor)
            if longer.return_percent >= self._at_least:
                self._visit(longer)

    def _keep(self, circle: Circle) -> None:
        if circle.return_percent >= self._at_least:
            self._best = circle
            self._at_least = circle.return_percent + 1


def _grown(path: Circle, accounts: tuple[UUID, ...], amount_minor: int) -> Circle:
    least, greatest = path.least_minor, path.greatest_minor
    return Circle(accounts, min(least, amount_minor), max(greatest, amount_minor))
