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
MOST_FAILURES = 5


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
        self._asked_until: UUID | None = None

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

        An order that the provider has no answer to holds up no other. After MOST_FAILURES in a row
        the provider counts as away: the next time goes on behind them.

        Raises ProviderUnavailable, LedgerBusy.
        """
        decided = failures = 0
        while page := await self._store.newest(PayoutState.SENT, self._asked_until, PAGE_PAYOUTS):
            for payout in page:
                self._asked_until = payout.payout_id
                provider = self._provider_to_ask(payout)
                if provider is None:
                    continue
                try:
                    decided += await self._ask(provider, payout)
                    failures = 0
                except ProviderUnavailable as error:
                    failures += 1
                    if failures == MOST_FAILURES:
                        raise
                    log.warning(
                        "a payout is not followed up",
                        extra={"payout": str(payout.payout_id), "error": str(error)},
                    )
        self._asked_until = None
        return decided

    def _provider_to_ask(self, payout: Payout) -> PayoutProvider | None:
        """Who is to be asked about it; None where it has not waited, or nobody is set up for it.

        Whose last change is of a time to come was sent by a clock that was ahead.
        """
        waited = self._clock() - payout.updated_at
        is_early = timedelta() <= waited < timedelta(seconds=self._every_s)
        return None if is_early else self._providers.get(payout.provider or "")

    async def _ask(self, provider: PayoutProvider, payout: Payout) -> bool:
        result = await provider.look_up(order_of(payout))
        if result is None:
            return False
        with suppress(ContradictoryResult):  # an admin was told
            await self._settlement.record(result, ResultSource.PROVIDER)
        return True
