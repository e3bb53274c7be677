"""The books of payouts are the ledger's: each step is one call of its service."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from ledger.accounts import AccountCode
from ledger.errors import (
    AccountClosed,
    HoldClosed,
    InsufficientFunds,
    RequestExpired,
)
from ledger.holds import HoldState
from ledger.payouts.errors import Unfunded
from ledger.payouts.payout import Payout
from ledger.postings import Leg, Posting
from ledger.service import LedgerService

CALLER = uuid5(UUID(int=0), "ledger.payouts")
"""Whose requests these are, for the ledger; never change it."""

EARNINGS, PAYOUTS = AccountCode.EARNINGS_AVAILABLE, AccountCode.PAYOUTS
CLEARING = AccountCode.PAYMENT_CLEARING

REASON = "Payout"
"""Of its hold."""

POSTINGS: Final = {
    "clear": ("payout_cleared", "Payout paid"),
    "give_back": ("payout_failed", "Payout given back"),
    "take_back": ("payout_returned", "Payout came back"),
}
"""Kind and description of the postings, by what they are for."""


class LedgerBooks:
    """`ledger.payouts.books.Books`."""

    def __init__(self, ledger: LedgerService) -> None:
        self._ledger = ledger

    async def available_minor(self, user_id: UUID) -> int:
        return (await self._ledger.wallet(user_id)).earnings_available_minor

    async def hold(self, payout: Payout, expires_at: datetime) -> UUID:
        try:
            hold = await self._ledger.holds.place(
                caller_id=CALLER,
                request_id=payout.request_key("hold"),
                owner_id=payout.user_id,
                code=EARNINGS,
                amount_minor=payout.amount_minor,
                expires_at=expires_at,
                reason=REASON,
            )
        except InsufficientFunds as error:
            raise Unfunded("Your available earnings are smaller than this payout.") from error
        except RequestExpired as expired:
            hold_id = await self._held_before(payout)
            if hold_id is None:
                raise Unfunded("The payout waited too long: its hold has ended.") from expired
            return hold_id
        except AccountClosed as error:
            raise Unfunded("Your earnings can't be paid out any more.") from error
        return hold.hold_id

    async def _held_before(self, payout: Payout) -> UUID | None:
        """The hold of a payout whose answer was lost and is not kept any more, while it is open.

        A user has one payout under way, so the newest one is its own.
        """
        held = await self._ledger.holds.open_of(payout.user_id)
        wanted = (EARNINGS, payout.currency, payout.amount_minor, REASON)
        newest = max(
            (
                hold
                for hold in held
                if (hold.code, hold.currency, hold.amount_minor, hold.reason) == wanted
                and not hold.metadata  # else it is an admin's
            ),
            key=lambda hold: hold.created_at,
            default=None,
        )
        return None if newest is None else newest.hold_id

    async def capture(self, payout: Payout) -> UUID:
        try:
            captured = await self._ledger.holds.capture(
                caller_id=CALLER,
                request_id=payout.request_key("capture"),
                hold_id=_hold_of(payout),
                amount_minor=None,
                to_owner_id=None,
                to_code=PAYOUTS,
                kind="payout",
                description="Payout",
                metadata={"payout_id": str(payout.payout_id)},
            )
        except RequestExpired as expired:
            return _posted_before(expired)
        except HoldClosed as error:
            raise Unfunded("The payout waited too long: its hold has ended.") from error
        except AccountClosed as error:
            raise Unfunded("Your earnings can't be paid out any more.") from error
        return captured.posting.transaction_id

    async def void(self, payout: Payout) -> None:
        try:
            await self._ledger.holds.void(
                caller_id=CALLER,
                request_id=payout.request_key("void"),
                hold_id=_hold_of(payout),
            )
        except RequestExpired:
            return  # it was voided long ago
        except HoldClosed as closed:
            if closed.state == HoldState.CAPTURED:
                raise  # there is nothing to void: the money is on its way

    async def clear(self, payout: Payout) -> UUID:
        return await self._post(payout, "clear", (None, PAYOUTS), (None, CLEARING))

    async def give_back(self, payout: Payout) -> UUID:
        return await self._post(payout, "give_back", (None, PAYOUTS), (payout.user_id, EARNINGS))

    async def take_back(self, payout: Payout) -> UUID:
        return await self._post(payout, "take_back", (None, CLEARING), (payout.user_id, EARNINGS))

    async def _post(
        self,
        payout: Payout,
        purpose: str,
        source: tuple[UUID | None, AccountCode],
        target: tuple[UUID | None, AccountCode],
    ) -> UUID:
        """Post the amount from one account to another; the transaction's id."""
        kind, description = POSTINGS[purpose]
        try:
            posted = await self._ledger.post(
                caller_id=CALLER,
                request_id=payout.request_key(purpose),
                postings=[
                    Posting(
                        kind=kind,
                        description=description,
                        legs=(
                            Leg(*target, payout.amount_minor, payout.currency),
                            Leg(*source, -payout.amount_minor, payout.currency),
                        ),
                        metadata={"payout_id": str(payout.payout_id)},
                    )
                ],
            )
            return posted.transaction_id
        except RequestExpired as expired:
            return _posted_before(expired)


def _posted_before(expired: RequestExpired) -> UUID:
    """The transaction that a step made, whose answer was lost and is not kept any more."""
    if expired.transaction_id is None:
        raise expired
    return expired.transaction_id


def _hold_of(payout: Payout) -> UUID:
    """The hold of a payout that has one."""
    if payout.hold_id is None:
        raise ValueError(f"{payout.stream_id} has no hold")
    return payout.hold_id
