"""The door for users, who ask for payouts, and for admins, who judge them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from config.payouts import PayoutSettings
from ledger.errors import OwnMoney
from ledger.event_store.catalogue import EventData, StoredEvent
from ledger.payouts.books import Books
from ledger.payouts.errors import AvailableTooSmall, UnknownPayout
from ledger.payouts.events import PayoutApproved, PayoutCancelled, PayoutFlagged, PayoutRejected
from ledger.payouts.payout import (
    Payout,
    PayoutLimits,
    PayoutRequest,
    advanced,
    check_reason,
    check_request,
)
from ledger.payouts.states import PayoutAction, PayoutState
from ledger.payouts.store import PayoutStore


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """Payouts, newest first; `next_cursor` is the id of the last one where more follow."""

    payouts: tuple[Payout, ...]
    next_cursor: UUID | None


class PayoutService:
    """Requests, and judgements of admins. Everything raises LedgerBusy."""

    def __init__(
        self,
        settings: PayoutSettings,
        store: PayoutStore,
        books: Books,
        *,
        currency: str,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`wake` is called after every change: a step may follow."""
        self._store = store
        self._books = books
        self._currency = currency
        self._wake = wake
        self._clock = clock
        self.limits = PayoutLimits(settings.min_minor, settings.max_minor)
        self.maturity_days = settings.maturity_days

    async def request(self, request: PayoutRequest) -> tuple[Payout, bool]:
        """Ask for a payout; once, however often the same request comes (True: it had come before).

        Raises InvalidPayoutField, IdempotencyMismatch, PayoutUnderWay, AvailableTooSmall.
        """
        known = await self._store.of_request(request)
        if known is not None:  # whatever the limits are today
            return known, True
        check_request(request, self.limits)
        available_minor = await self._books.available_minor(request.user_id)
        if available_minor < request.amount_minor:
            raise AvailableTooSmall(available_minor, request.amount_minor)
        payout, repeated = await self._store.add(request, self._currency, self._clock())
        self._wake()
        return payout, repeated

    async def cancel(self, user_id: UUID, payout_id: UUID) -> Payout:
        """Take back one's own payout, before it is sent; again is as once.

        Raises UnknownPayout, PayoutConflict.
        """

        def change(payout: Payout, now: datetime) -> tuple[Payout, EventData] | None:
            if payout.user_id != user_id:
                raise UnknownPayout
            if payout.state is PayoutState.CANCELLED:
                return None
            return advanced(payout, PayoutAction.CANCEL, now), PayoutCancelled()

        return await self._change(payout_id, change)

    async def mine(self, user_id: UUID, payout_id: UUID) -> Payout:
        """One of the user's payouts. Raises UnknownPayout."""
        payout = await self._store.get(payout_id)
        if payout.user_id != user_id:
            raise UnknownPayout
        return payout

    async def of_user(self, user_id: UUID, cursor: UUID | None, limit: int) -> PayoutPage:
        """A page of the user's payouts."""
        return _page(await self._store.of_user(user_id, cursor, limit + 1), limit)

    async def newest(
        self, state: PayoutState | None, cursor: UUID | None, limit: int
    ) -> PayoutPage:
        """A page of all payouts, of one state where it is given."""
        return _page(await self._store.newest(state, cursor, limit + 1), limit)

    async def to_look_at(self, cursor: UUID | None, limit: int) -> PayoutPage:
        """A page of the payouts with a result that can't be true."""
        return _page(await self._store.to_look_at(cursor, limit + 1), limit)

    async def get(self, payout_id: UUID) -> Payout:
        """One payout. Raises UnknownPayout."""
        return await self._store.get(payout_id)

    async def history(self, payout_id: UUID) -> list[StoredEvent]:
        """Everything that happened to a payout. Raises UnknownPayout."""
        await self._store.get(payout_id)
        return await self._store.history(payout_id)

    async def approve(self, payout_id: UUID, by: UUID, reason: str) -> Payout:
        """Let a payout in review go on; somebody else than its user does.

        Raises UnknownPayout, PayoutConflict, InvalidPayoutField, OwnMoney.
        """
        said = check_reason(reason)

        def change(payout: Payout, now: datetime) -> tuple[Payout, EventData]:
            if payout.user_id == by:
                raise OwnMoney
            return advanced(payout, PayoutAction.APPROVE, now), PayoutApproved(said, by)

        return await self._change(payout_id, change)

    async def flag(self, payout_id: UUID, by: UUID, reason: str) -> Payout:
        """Stop a payout that was not sent yet, until an admin approves or rejects it.

        Raises UnknownPayout, PayoutConflict, InvalidPayoutField.
        """
        said = check_reason(reason)
        return await self._act(payout_id, PayoutAction.FLAG, PayoutFlagged(said, by))

    async def reject(self, payout_id: UUID, by: UUID, reason: str) -> Payout:
        """Refuse a payout; its user reads the reason.

        Raises UnknownPayout, PayoutConflict, InvalidPayoutField.
        """
        said = check_reason(reason)
        return await self._act(
            payout_id, PayoutAction.REJECT, PayoutRejected(said, by), reason=said
        )

    async def _act(
        self, payout_id: UUID, action: PayoutAction, data: EventData, **changes: Any
    ) -> Payout:
        return await self._change(
            payout_id, lambda payout, now: (advanced(payout, action, now, **changes), data)
        )

    async def _change(
        self,
        payout_id: UUID,
        change: Callable[[Payout, datetime], tuple[Payout, EventData] | None],
    ) -> Payout:
        now = self._clock()
        payout = await self._store.change(payout_id, lambda payout: change(payout, now), now)
        self._wake()
        return payout


def _page(payouts: list[Payout], limit: int) -> PayoutPage:
    shown = tuple(payouts[:limit])
    return PayoutPage(shown, shown[-1].payout_id if len(payouts) > limit else None)
