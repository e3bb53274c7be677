"""Holds: money kept back until it is captured, voided or expired (two-phase transfers)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from ledger.accounts import AccountCode
from ledger.door import REFUSALS, Door
from ledger.money import MAX_MINOR, is_amount
from ledger.postings import Posting, PostingReceipt, is_storable, receipt, request_hash
from ledger.transfer import LABEL_CHECKS, TransferResult, check_posting, is_line

HOLDABLE = frozenset({AccountCode.WALLET, AccountCode.EARNINGS_AVAILABLE})
EXPIRE_AT_ONCE = 100
MOST_OPEN = 100
"""Open holds that are shown of one user."""


class HoldState(StrEnum):
    """Where a hold is in its life; all but `open` are final."""

    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class HoldEvent(StrEnum):
    """What happens to a hold."""

    CAPTURE_PART = "capture_part"
    CAPTURE_ALL = "capture_all"
    VOID = "void"
    EXPIRE = "expire"


TRANSITIONS: Mapping[HoldState, Mapping[HoldEvent, HoldState]] = MappingProxyType(
    {
        HoldState.OPEN: {
            HoldEvent.CAPTURE_PART: HoldState.OPEN,
            HoldEvent.CAPTURE_ALL: HoldState.CAPTURED,
            HoldEvent.VOID: HoldState.VOIDED,
            HoldEvent.EXPIRE: HoldState.EXPIRED,
        },
        HoldState.CAPTURED: {},
        HoldState.VOIDED: {},
        HoldState.EXPIRED: {},
    }
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it was right after the request that it answers."""

    hold_id: UUID
    owner_id: UUID
    code: AccountCode
    currency: str
    amount_minor: int
    captured_minor: int
    state: HoldState
    reason: str
    expires_at: datetime

    @property
    def left_minor(self) -> int:
        """What it still keeps back."""
        return self.amount_minor - self.captured_minor if self.state is HoldState.OPEN else 0


@dataclass(frozen=True, slots=True)
class HoldNote:
    """Whose a hold is, and what whoever placed it has noted."""

    owner_id: UUID
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold as it stands; `metadata` is what whoever placed it has noted."""

    hold_id: UUID
    owner_id: UUID
    code: AccountCode
    currency: str
    amount_minor: int
    captured_minor: int
    reason: str
    metadata: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Capture:
    """The posting that a capture made, and the hold after it."""

    posting: PostingReceipt
    hold: Hold


Answered = tuple[TransferResult, dict[str, Any]]


class HoldBooks(Protocol):
    """The books, as holds need them; every call raises LedgerBusy."""

    async def place_hold(
        self, key: tuple[UUID, UUID, bytes], fields: Mapping[str, Any]
    ) -> Answered: ...

    async def capture_hold(
        self, key: tuple[UUID, UUID, bytes], fields: Mapping[str, Any]
    ) -> Answered: ...

    async def void_hold(self, key: tuple[UUID, UUID, bytes], hold_id: UUID) -> Answered: ...

    async def expire_holds(self, limit: int) -> int: ...

    async def open_holds(
        self, owner_id: UUID, currency: str, limit: int
    ) -> tuple[OpenHold, ...]: ...

    async def hold_note(self, hold_id: UUID) -> HoldNote | None: ...


class HoldService:
    """Reserve, capture all or part, void, expire; requests repeat as all of the ledger's do."""

    def __init__(
        self, books: HoldBooks, door: Door, currency: str, wake: Callable[[], None]
    ) -> None:
        self._books = books
        self._door = door
        self._currency = currency
        self._wake = wake

    async def place(
        self,
        *,
        caller_id: UUID,
        request_id: UUID,
        owner_id: UUID,
        code: AccountCode,
        amount_minor: int,
        expires_at: datetime,
        reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Hold:
        """Keep an amount of a wallet or of available earnings back until `expires_at`.

        Available earnings are held as far as they are more than what is owed after a chargeback.
        Raises InvalidAmount, InvalidReason, InvalidLabel, UnknownAccount, AccountClosed,
        InsufficientFunds.
        """
        with self._door.call("hold") as call:
            call.settle(check_hold(code, amount_minor, reason, metadata), {})
            fields = {
                "owner_id": owner_id,
                "code": code,
                "currency": self._currency,
                "amount_minor": amount_minor,
                "expires_at": expires_at,
                "reason": reason,
                "metadata": metadata,
            }
            key = (caller_id, request_id, request_hash("hold", fields))
            result, answer = await self._books.place_hold(key, fields)
            call.settle(result, answer)
            self._wake()
            return _hold(answer)

    async def capture(
        self,
        *,
        caller_id: UUID,
        request_id: UUID,
        hold_id: UUID,
        amount_minor: int | None,
        to_owner_id: UUID | None,
        to_code: AccountCode,
        kind: str,
        description: str,
        metadata: Mapping[str, Any] | None = None,
        reference: str | None = None,
    ) -> Capture:
        """Post what is held, all of it where `amount_minor` is None, to an account.

        What is left of it stays held. Raises InvalidAmount, InvalidReason, InvalidLabel,
        InvalidPosting (to itself), UnknownHold, HoldClosed, UnknownAccount, AccountClosed,
        DuplicateReference, InsufficientFunds (more than is held).
        """
        with self._door.call("capture") as call:
            if amount_minor is not None and not is_amount(amount_minor, at_most=MAX_MINOR):
                raise REFUSALS[TransferResult.INVALID_AMOUNT]({})
            labels = Posting(kind, description, (), None, metadata, reference)
            call.settle(check_posting(labels, LABEL_CHECKS), {})
            fields = {
                "hold_id": hold_id,
                "amount_minor": amount_minor,
                "owner_id": to_owner_id,
                "code": to_code,
                "currency": self._currency,
                "posting": {
                    "kind": kind,
                    "description": description,
                    "metadata": metadata,
                    "reference": reference,
                },
            }
            key = (caller_id, request_id, request_hash("capture", fields))
            result, answer = await self._books.capture_hold(key, fields)
            repeated = call.settle(result, answer)
            self._wake()
            return Capture(receipt(answer, repeated=repeated), _hold(answer["hold"]))

    async def void(self, *, caller_id: UUID, request_id: UUID, hold_id: UUID) -> Hold:
        """Give back what is still held. Raises UnknownHold, HoldClosed."""
        with self._door.call("void") as call:
            key = (caller_id, request_id, request_hash("void", hold_id))
            result, answer = await self._books.void_hold(key, hold_id)
            call.settle(result, answer)
            self._wake()
            return _hold(answer)

    async def open_of(self, owner_id: UUID) -> tuple[OpenHold, ...]:
        """Open holds of a user, those that end first before the others, at most `MOST_OPEN`."""
        with self._door.call("holds"):
            return await self._books.open_holds(owner_id, self._currency, MOST_OPEN)

    async def note_of(self, hold_id: UUID) -> HoldNote:
        """Whose a hold is, and what was noted with it, open or not. Raises UnknownHold."""
        with self._door.call("holds"):
            found = await self._books.hold_note(hold_id)
            if found is None:
                raise REFUSALS[TransferResult.UNKNOWN_HOLD]({})
            return found

    async def expire_due(self) -> int:
        """Close every hold whose time has come, and say how many.

        Nothing depends on when this runs: from its moment on, what a hold keeps back is free to
        whoever asks for it.
        """
        expired = 0
        with self._door.call("expire"):
            while closed := await self._books.expire_holds(EXPIRE_AT_ONCE):
                expired += closed
                self._wake()
        return expired


def check_hold(code: Any, amount_minor: Any, reason: Any, metadata: Any = None) -> TransferResult:
    """ADMITTED, or the first of the refusals that the request alone deserves."""
    if code not in HOLDABLE:
        return TransferResult.UNKNOWN_ACCOUNT
    if not is_amount(amount_minor, at_most=MAX_MINOR):
        return TransferResult.INVALID_AMOUNT
    if not is_line(reason):
        return TransferResult.INVALID_REASON
    return TransferResult.ADMITTED if is_storable(metadata) else TransferResult.INVALID_NOTES


def _hold(answer: Mapping[str, Any]) -> Hold:
    return Hold(
        hold_id=UUID(answer["hold_id"]),
        owner_id=UUID(answer["owner_id"]),
        code=AccountCode(answer["code"]),
        currency=answer["currency"],
        amount_minor=answer["amount_minor"],
        captured_minor=answer["captured_minor"],
        state=HoldState(answer["state"]),
        reason=answer["reason"],
        expires_at=datetime.fromisoformat(answer["expires_at"]),
    )
