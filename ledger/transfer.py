"""The specification of a posting: which refusal a request meets, and in which order.

A request is judged twice. `check_gift` and `check_grant` look at the request alone, before any
database is asked. `settle_gift` and `settle_grant` then say what the books make of it; in the
product the database's functions `ledger.post_gift` and `ledger.post_grant` decide that under their
locks, and the tests hold the two equal. In each the first check that fails is the answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.gifts import Gift, GiftRequest
from ledger.grants import MAX_REASON_CHARS, GrantRequest
from ledger.money import Split, is_amount, split_fee


class TransferResult(StrEnum):
    """What became of a request; where it is refused, the protocol's code."""

    ADMITTED = "admitted"
    """Nothing in the request speaks against it."""

    UNKNOWN_GIFT = "unknown_gift"
    INVALID_COUNT = "invalid_count"
    OWN_STREAM = "own_stream"
    INVALID_AMOUNT = "invalid_amount"
    INVALID_REASON = "invalid_reason"

    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    """The caller used the request id for another request before."""

    REPEATED = "repeated"
    """An equal request was posted before: its answer is given again, nothing is posted."""

    INSUFFICIENT_FUNDS = "insufficient_funds"

    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the house sells and allows."""

    gifts: Mapping[str, Gift]
    max_count: int
    fee_basis_points: int
    max_grant_minor: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What an admitted gift costs, who gets it, and how the statement calls it."""

    total_minor: int
    split: Split
    description: str


def _unknown_gift(request: GiftRequest, terms: Terms) -> bool:
    return not isinstance(request.gift_id, str) or request.gift_id not in terms.gifts


def _invalid_count(request: GiftRequest, terms: Terms) -> bool:
    return not is_amount(request.count, at_most=terms.max_count)


def _own_stream(request: GiftRequest, _: Terms) -> bool:
    return request.payer_id == request.payee_id


def _invalid_amount(request: GrantRequest, terms: Terms) -> bool:
    return not is_amount(request.amount_minor, at_most=terms.max_grant_minor)


def _invalid_reason(request: GrantRequest, _: Terms) -> bool:
    # What is not printable can't be stored (NUL, lone surrogates) or would break a line of a log.
    reason = request.reason
    return not (
        isinstance(reason, str)
        and len(reason) <= MAX_REASON_CHARS
        and reason.strip()
        and reason.isprintable()
    )


GIFT_CHECKS: tuple[tuple[TransferResult, Callable[[GiftRequest, Terms], bool]], ...] = (
    (TransferResult.UNKNOWN_GIFT, _unknown_gift),
    (TransferResult.INVALID_COUNT, _invalid_count),
    (TransferResult.OWN_STREAM, _own_stream),
)

GRANT_CHECKS: tuple[tuple[TransferResult, Callable[[GrantRequest, Terms], bool]], ...] = (
    (TransferResult.INVALID_AMOUNT, _invalid_amount),
    (TransferResult.INVALID_REASON, _invalid_reason),
)


def check_gift(request: GiftRequest, terms: Terms) -> TransferResult:
    """ADMITTED, or the first refusal of GIFT_CHECKS."""
    refusals = (result for result, refuses in GIFT_CHECKS if refuses(request, terms))
    return next(refusals, TransferResult.ADMITTED)


def check_grant(request: GrantRequest, terms: Terms) -> TransferResult:
    """ADMITTED, or the first refusal of GRANT_CHECKS."""
    refusals = (result for result, refuses in GRANT_CHECKS if refuses(request, terms))
    return next(refusals, TransferResult.ADMITTED)


def quote_gift(request: GiftRequest, terms: Terms) -> Quote:
    """The price of an admitted request; KeyError when its gift is unknown."""
    gift = terms.gifts[request.gift_id]
    total_minor = gift.price_minor * request.count
    return Quote(
        total_minor,
        split_fee(total_minor, terms.fee_basis_points),
        f"{request.count} × {gift.name}",
    )


def settle_grant(known_hash: bytes | None, request_hash: bytes) -> TransferResult:
    """What the books make of an admitted grant.

    `known_hash` is that of the request posted before under the same caller and request id.
    """
    if known_hash is None:
        return TransferResult.POSTED
    if known_hash != request_hash:
        return TransferResult.IDEMPOTENCY_MISMATCH
    return TransferResult.REPEATED


def settle_gift(
    known_hash: bytes | None, request_hash: bytes, *, balance_minor: int, total_minor: int
) -> TransferResult:
    """What the books make of an admitted gift, given the payer's balance.

    A repeated gift is answered as at first even where the balance would no longer reach.
    """
    result = settle_grant(known_hash, request_hash)
    if result is TransferResult.POSTED and balance_minor < total_minor:
        return TransferResult.INSUFFICIENT_FUNDS
    return result
