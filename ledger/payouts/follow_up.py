"""Asks providers what became of payouts whose notice did not come."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from ledger.errors import LedgerRefusal
from ledger.payouts.errors import ContradictoryResult, ProviderUnavailable
from ledger.payouts.payout import Payout
from ledger.payouts.provider import PayoutProvider, order_of
from ledger.payouts.results import ResultSource
from ledger.payouts.settlement import SettlementDesk
from ledger.payouts.states import PayoutState
from ledger.payouts.store import PayoutStore

log = logging.getLogger(__name__)

PAGE_PAYOUTS = 100


class FollowUp:
    """Looks after payouts that were sent, while `run` runs."""

    def __init__(
        self,
        store: PayoutStore,
        settlement: SettlementDesk,
        providers: Mapping[str, PayoutProvider],
        *,
        every_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        """A payout is asked about `every_s` after its last change, and again as often."""
        self._store = store
        self._settlement = settlement
        self._providers = providers
        self._every_s = every_s
        self._clock = clock

    async def run(self) -> None:
        """Ask again and again until cancelled; a provider that is away is asked the next time."""
        while True:
            try:
                await self.ask_once()
            except (ProviderUnavailable, LedgerRefusal) as error:
                log.warning("payouts are not followed up", extra={"error": str(error)})
            await asyncio.sleep(self._every_s)

    async def ask_once(self) -> int:
        """Ask about every payout that waits too long; how many had become something.

        Raises ProviderUnavailable, LedgerBusy.
        """
        decided = 0
        cursor: UUID | None = None
        while page := await self._store.newest(PayoutState.SENT, cursor, PAGE_PAYOUTS):
            for payout in page:
                decided += await self._ask(payout)
            cursor = page[-1].payout_id
        return decided

    async def _ask(self, payout: Payout) -> bool:
        provider = self._providers.get(payout.provider or "")
        waited = self._clock() - payout.updated_at
        if provider is None or waited < timedelta(seconds=self._every_s):
            return False
        result = await provider.look_up(order_of(payout))
        if result is None:
            return False
        with suppress(ContradictoryResult):  # an admin was told
            await self._settlement.record(result, ResultSource.PROVIDER)
        return True
