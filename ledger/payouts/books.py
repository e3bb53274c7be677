"""What payouts ask of the books, and which postings that is.

    hold       on the user's available earnings
    capture    earnings_available → payouts: out of the user's hands, on its way
    clear      payouts → payment_clearing: the provider has paid
    give_back  payouts → earnings_available: the provider has not paid
    take_back  payment_clearing → earnings_available: it came back after it was paid

Each is asked under a request id that is derived from the payout, so it is done once, and answered
as at first however late it is asked again.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledger.payouts.payout import Payout


class Books(Protocol):
    """The ledger, as payouts need it; everything raises LedgerBusy."""

    async def available_minor(self, user_id: UUID) -> int:
        """What the user can ask for."""

    async def hold(self, payout: Payout, expires_at: datetime) -> UUID:
        """Keep the amount back; the hold's id. Raises Unfunded."""

    async def capture(self, payout: Payout) -> UUID:
        """Post the held amount; the transaction's id. Raises Unfunded where the hold is gone."""

    async def void(self, payout: Payout) -> None:
        """End the hold, where it has not ended yet. Raises HoldClosed where it was captured."""

    async def clear(self, payout: Payout) -> UUID:
        """Post that the provider has paid."""

    async def give_back(self, payout: Payout) -> UUID:
        """Post a captured amount back to the user."""

    async def take_back(self, payout: Payout) -> UUID:
        """Post a cleared amount back to the user."""
