"""Sliding windows over the gifts of one payer.

A window that ends with a gift holds everything of the last `window_s` seconds: the gift itself
counts, one exactly `window_s` older does not. The order in which gifts arrive does not matter,
only when they occurred; so a late event changes the windows of those that came after it, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from compliance.aml.features import GiftActivity, Totals


class SlidingWindow:
    """Running totals; each gift goes in once and out once. Gifts must be added in time order."""

    def __init__(self, window_s: int) -> None:
        self._width = timedelta(seconds=window_s)
        self._held: deque[tuple[GiftActivity, bool]] = deque()
        self._amount_minor = 0
        self._unseen = 0

    def add(self, gift: GiftActivity, *, unseen: bool = False) -> None:
        """Take `gift` in, and let go what it makes too old; `unseen`: no worker saw it before."""
        self.advance(gift.occurred_at)
        self._held.append((gift, unseen))
        self._amount_minor += gift.amount_minor
        self._unseen += unseen

    def advance(self, now: datetime) -> None:
        """Let go what is too old at `now`."""
        while self._held and self._held[0][0].occurred_at <= now - self._width:
            gift, unseen = self._held.popleft()
            self._amount_minor -= gift.amount_minor
            self._unseen -= unseen

    @property
    def totals(self) -> Totals:
        return Totals(len(self._held), self._amount_minor)

    @property
    def holds_unseen(self) -> bool:
        """Whether any gift in the window was unseen."""
        return self._unseen > 0


def in_order(gifts: Iterable[GiftActivity]) -> list[GiftActivity]:
    """Each gift once, in the order in which they occurred."""
    unique = {gift.event_id: gift for gift in gifts}
    return sorted(unique.values(), key=lambda gift: (gift.occurred_at, gift.event_id))


def within(
    gifts: Sequence[GiftActivity], end: datetime, window_s: int, most: int
) -> tuple[UUID, ...]:
    """Event ids of the window that ends at `end`, in order of time; at most the last `most`."""
    start = end - timedelta(seconds=window_s)
    held = [gift.event_id for gift in gifts if start < gift.occurred_at <= end]
    return tuple(held[-most:])
