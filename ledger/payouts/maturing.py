"""Earnings become available some days after they were earned."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from config.payouts import PayoutSettings
from ledger.errors import LedgerRefusal

log = logging.getLogger(__name__)


class Earnings(Protocol):
    """The ledger, as far as earnings mature."""

    async def mature(self, before: datetime) -> int:
        """Make available what was earned before then; how many streamers got something."""


class Maturing:
    """Looks for earnings that have become available, while `run` runs."""

    def __init__(
        self, earnings: Earnings, settings: PayoutSettings, *, clock: Callable[[], datetime]
    ) -> None:
        self._earnings = earnings
        self._age = timedelta(days=settings.maturity_days)
        self._every_s = settings.maturing_s
        self._clock = clock

    async def run(self) -> None:
        """Look again and again until cancelled; a ledger that is busy is asked the next time."""
        while True:
            try:
                await self.mature_once()
            except LedgerRefusal as refusal:
                log.warning("earnings do not mature", extra={"code": refusal.code})
            await asyncio.sleep(self._every_s)

    async def mature_once(self) -> int:
        """Make available what is old enough now; of how many streamers. Raises LedgerBusy."""
        return await self._earnings.mature(self._clock() - self._age)
