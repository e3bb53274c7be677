"""Where a provider's notices arrive: nothing is looked at before its signature was verified."""

from collections.abc import Callable, Sequence
from datetime import datetime

from ledger.payouts.notices import parse, verify
from ledger.payouts.results import Meaning
from ledger.payouts.settlement import SettlementDesk


class NoticeInbox:
    """Takes the notices of one provider."""

    def __init__(
        self,
        provider: str,
        keys: Sequence[bytes],
        *,
        tolerance_s: float,
        settlement: SettlementDesk,
        clock: Callable[[], datetime],
    ) -> None:
        """Without `keys` every notice is refused."""
        self._provider = provider
        self._keys = tuple(keys)
        self._tolerance_s = tolerance_s
        self._settlement = settlement
        self._clock = clock

    async def take(self, header: str, body: bytes) -> Meaning:
        """Apply a notice, once. Raises BadSignature, BadNotice, LedgerBusy."""
        verify(header, body, self._keys, self._clock(), self._tolerance_s)
        return await self._settlement.take_notice(self._provider, parse(body))
