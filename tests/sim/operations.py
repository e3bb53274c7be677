"""What clients may ask a writer for: each name is an operation of the ledger's service."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ledger.accounts import AccountCode
from ledger.gifts import GiftRequest
from ledger.postings import PostingReceipt
from ledger.reversals import ReversalKind, Shortfall
from ledger.service import LedgerService

Arguments = dict[str, Any]


async def gift(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    return await ledger.send_gift(
        GiftRequest(
            request_id=request_id,
            payer_id=caller_id,
            payer_name="Ada",
            payee_id=UUID(a["payee_id"]),
            stream_id=UUID(a["payee_id"]),
            gift_id=a["gift_id"],
            count=a["count"],
        )
    )


async def grant(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    return await ledger.grant(
        request_id=request_id,
        user_id=UUID(a["user_id"]),
        amount_minor=a["amount_minor"],
        reason="crash campaign",
        granted_by=caller_id,
    )


async def hold(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    return await ledger.holds.place(
        caller_id=caller_id,
        request_id=request_id,
        owner_id=caller_id,
        code=AccountCode(a["code"]),
        amount_minor=a["amount_minor"],
        expires_at=datetime.fromisoformat(a["expires_at"]),
        reason="crash campaign",
    )


async def capture(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    """A payout: what was held goes to the house's account of payouts."""
    captured = await ledger.holds.capture(
        caller_id=caller_id,
        request_id=request_id,
        hold_id=UUID(a["hold_id"]),
        amount_minor=a["amount_minor"],
        to_owner_id=None,
        to_code=AccountCode.PAYOUTS,
        kind="payout",
        description="Crash campaign",
    )
    return captured.posting


async def void(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    return await ledger.holds.void(
        caller_id=caller_id, request_id=request_id, hold_id=UUID(a["hold_id"])
    )


async def refund(ledger: LedgerService, caller_id: UUID, request_id: UUID, a: Arguments) -> object:
    return await ledger.reversals.reverse(
        caller_id=caller_id,
        request_id=request_id,
        transaction_id=UUID(a["transaction_id"]),
        amount_minor=a["amount_minor"],
        kind=ReversalKind.REFUND,
        reason="crash campaign",
        shortfall=Shortfall(a["shortfall"]),
    )


async def mature(ledger: LedgerService, _: UUID, __: UUID, ___: Arguments) -> object:
    """No request of anybody: what it finds to do it does, however often it is asked."""
    await ledger.earnings.mature(datetime.now(UTC))
    return Matured()


@dataclass(frozen=True, slots=True)
class Matured:
    """It has no receipt."""


OPERATIONS: dict[str, Callable[[LedgerService, UUID, UUID, Arguments], Awaitable[object]]] = {
    "gift": gift,
    "grant": grant,
    "hold": hold,
    "capture": capture,
    "void": void,
    "refund": refund,
    "mature": mature,
}


def shown(receipt: object) -> dict[str, Any]:
    """A receipt as the client gets it: JSON, with `transaction_id` where it has one."""
    fields: dict[str, Any] = asdict(receipt)  # type: ignore[call-overload]
    if isinstance(receipt, PostingReceipt):
        fields["transaction_id"] = receipt.transaction_id
    parsed: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return parsed
