"""What clients, admins and the bank may ask a writer for about payouts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.payouts.payout import PayoutRequest
from server.payouts import Payouts

Arguments = dict[str, Any]
REASON = "crash campaign"


@dataclass(frozen=True, slots=True)
class Answer:
    """Which payout it was about."""

    payout_id: UUID


@dataclass(frozen=True, slots=True)
class Taken:
    """A notice was taken: as news, or as known."""

    meaning: str


async def payout(payouts: Payouts, caller_id: UUID, request_id: UUID, a: Arguments) -> Answer:
    wish = PayoutRequest(request_id, caller_id, a["amount_minor"], a["destination"])
    made, _ = await payouts.requests.request(wish)
    return Answer(made.payout_id)


async def cancel(payouts: Payouts, caller_id: UUID, _: UUID, a: Arguments) -> Answer:
    return Answer((await payouts.requests.cancel(caller_id, UUID(a["payout_id"]))).payout_id)


async def approve(payouts: Payouts, caller_id: UUID, _: UUID, a: Arguments) -> Answer:
    judged = await payouts.requests.approve(UUID(a["payout_id"]), caller_id, REASON)
    return Answer(judged.payout_id)


async def reject(payouts: Payouts, caller_id: UUID, _: UUID, a: Arguments) -> Answer:
    judged = await payouts.requests.reject(UUID(a["payout_id"]), caller_id, REASON)
    return Answer(judged.payout_id)


async def flag(payouts: Payouts, caller_id: UUID, _: UUID, a: Arguments) -> Answer:
    judged = await payouts.requests.flag(UUID(a["payout_id"]), caller_id, REASON)
    return Answer(judged.payout_id)


async def notice(payouts: Payouts, _: UUID, __: UUID, a: Arguments) -> Taken:
    return Taken(await payouts.notices.take(a["header"], a["body"].encode()))


PAYOUT_OPERATIONS: dict[str, Callable[[Payouts, UUID, UUID, Arguments], Awaitable[object]]] = {
    "payout": payout,
    "payout_cancel": cancel,
    "payout_approve": approve,
    "payout_reject": reject,
    "payout_flag": flag,
    "payout_notice": notice,
}
