"""The specification of a posting: which refusal a request meets, and in which order.

A request is judged twice. `check_gift`, `check_grant` and `check_posting` look at the request
alone, before any database is asked. `settle`, `settle_gift` and `settle_posting` then say what the
books make of it. Of gifts `settle_gift` itself decides, where the database has found that something
may speak against one (ledger/gift_batch.py); other postings are decided by the database's functions
(migrations/0006) under their locks, and the tests hold the two equal. In each the first check that
fails is the answer.

A request that was carried out before is answered as at first whatever has changed since: a gift
that has left the catalogue, a price, a closed account. So where a check refuses a request, the
books are asked for its first answer before it is refused.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from ledger.accounts import CHART
from ledger.gifts import Gift, GiftRequest
from ledger.grants import MAX_REASON_CHARS, GrantRequest
from ledger.money import MAX_MINOR, Split, is_amount, split_fee
from ledger.postings import MAX_LEGS, Leg, Posting, is_kind, is_reference, is_storable


class TransferResult(StrEnum):
    """What became of a request; where it is refused, the protocol's code."""

    ADMITTED = "admitted"
    """Nothing in the request speaks against it."""

    UNKNOWN_GIFT = "unknown_gift"
    INVALID_COUNT = "invalid_count"
    OWN_STREAM = "own_stream"
    INVALID_AMOUNT = "invalid_amount"
    INVALID_REASON = "invalid_reason"
    INVALID_LINKS = "invalid_links"
    """No posting in a request, or too many."""
    INVALID_KIND = "invalid_kind"
    INVALID_REFERENCE = "invalid_reference"
    INVALID_NOTES = "invalid_notes"
    """A memo or metadata that can't be stored."""
    INVALID_LEGS = "invalid_legs"
    """Fewer than two legs, or too many."""
    SELF_TRANSFER = "self_transfer"
    """An account stands in two legs of one posting."""
    UNBALANCED = "unbalanced"
    """The legs of a currency do not sum to zero."""

    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    """The caller used the request id for another request before."""
    REQUEST_EXPIRED = "request_expired"
    """An equal request was carried out so long ago that its answer is archived."""
    REPEATED = "repeated"
    """An equal request was carried out before: its answer is given again, nothing is posted."""

    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_CURRENCY = "unknown_currency"
    ACCOUNT_CLOSED = "account_closed"
    DUPLICATE_REFERENCE = "duplicate_reference"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    AMOUNT_TOO_LARGE = "amount_too_large"
    """A balance would leave the 64 bits that it has."""

    UNKNOWN_HOLD = "unknown_hold"
    HOLD_CLOSED = "hold_closed"
    """It is captured, voided or expired."""
    UNKNOWN_TRANSACTION = "unknown_transaction"
    NOT_REVERSIBLE = "not_reversible"
    ALREADY_REVERSED = "already_reversed"
    """More would be taken back than is left."""
    ACCOUNT_NOT_EMPTY = "account_not_empty"

    POSTED = "posted"


R = TransferResult


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


@dataclass(frozen=True, slots=True)
class Known:
    """What the books hold under the caller and the id of a request."""

    request_hash: bytes
    archived: bool = False


Request = TypeVar("Request")
Checks = Sequence[tuple[TransferResult, Callable[[Request, Terms], bool]]]


def _unknown_gift(request: GiftRequest, terms: Terms) -> bool:
    return not isinstance(request.gift_id, str) or request.gift_id not in terms.gifts


def _invalid_count(request: GiftRequest, terms: Terms) -> bool:
    return not is_amount(request.count, at_most=terms.max_count)


def _own_stream(request: GiftRequest, _: Terms) -> bool:
    return request.payer_id == request.payee_id


def _invalid_amount(request: GrantRequest, terms: Terms) -> bool:
    return not is_amount(request.amount_minor, at_most=terms.max_grant_minor)


def is_line(text: Any) -> bool:
    """Whether it is one line of text of at most MAX_REASON_CHARS characters.

    What is not printable can't be stored (NUL, lone surrogates) or would break a line of a log.
    """
    return (
        isinstance(text, str)
        and len(text) <= MAX_REASON_CHARS
        and bool(text.strip())
        and text.isprintable()
    )


def _invalid_reason(request: GrantRequest, _: Terms) -> bool:
    return not is_line(request.reason)


def _invalid_legs(posting: Posting) -> bool:
    return not 2 <= len(posting.legs) <= MAX_LEGS


def _invalid_description(posting: Posting) -> bool:
    return not is_line(posting.description)


def _invalid_kind(posting: Posting) -> bool:
    return not is_kind(posting.kind)


def _invalid_reference(posting: Posting) -> bool:
    return posting.reference is not None and not is_reference(posting.reference)


def _invalid_notes(posting: Posting) -> bool:
    return not is_storable([posting.memo, posting.metadata])


def _invalid_leg_amount(posting: Posting) -> bool:
    return not all(
        type(leg.amount_minor) is int and is_amount(abs(leg.amount_minor), at_most=MAX_MINOR)
        for leg in posting.legs
    )


def _unknown_account(posting: Posting) -> bool:
    return not all(
        leg.code in CHART and CHART[leg.code].per_user == (leg.owner_id is not None)
        for leg in posting.legs
    )


def _unknown_currency(posting: Posting) -> bool:
    return not all(
        isinstance(leg.currency, str) and leg.currency.isprintable() for leg in posting.legs
    )


def _self_transfer(posting: Posting) -> bool:
    accounts = Counter((leg.owner_id, leg.code, leg.currency) for leg in posting.legs)
    return max(accounts.values()) > 1


def _unbalanced(posting: Posting) -> bool:
    sums = Counter[str]()
    for leg in posting.legs:
        sums[leg.currency] += leg.amount_minor
    return any(sums.values())


GIFT_CHECKS: Checks[GiftRequest] = (
    (R.UNKNOWN_GIFT, _unknown_gift),
    (R.INVALID_COUNT, _invalid_count),
    (R.OWN_STREAM, _own_stream),
)

GRANT_CHECKS: Checks[GrantRequest] = (
    (R.INVALID_AMOUNT, _invalid_amount),
    (R.INVALID_REASON, _invalid_reason),
)

PostingChecks = Sequence[tuple[TransferResult, Callable[[Posting], bool]]]

LABEL_CHECKS: PostingChecks = (
    (R.INVALID_REASON, _invalid_description),
    (R.INVALID_KIND, _invalid_kind),
    (R.INVALID_REFERENCE, _invalid_reference),
    (R.INVALID_NOTES, _invalid_notes),
)

POSTING_CHECKS: PostingChecks = (
    (R.INVALID_LEGS, _invalid_legs),
    *LABEL_CHECKS,
    (R.INVALID_AMOUNT, _invalid_leg_amount),
    (R.UNKNOWN_ACCOUNT, _unknown_account),
    (R.UNKNOWN_CURRENCY, _unknown_currency),
    (R.SELF_TRANSFER, _self_transfer),
    (R.UNBALANCED, _unbalanced),
)


def check_gift(request: GiftRequest, terms: Terms) -> TransferResult:
    """ADMITTED, or the first refusal of GIFT_CHECKS."""
    for result, refuses in GIFT_CHECKS:
        if refuses(request, terms):
            return result
    return R.ADMITTED


def check_grant(request: GrantRequest, terms: Terms) -> TransferResult:
    """ADMITTED, or the first refusal of GRANT_CHECKS."""
    for result, refuses in GRANT_CHECKS:
        if refuses(request, terms):
            return result
    return R.ADMITTED


def check_posting(posting: Posting, checks: PostingChecks = POSTING_CHECKS) -> TransferResult:
    """ADMITTED, or the first refusal of the checks."""
    for result, refuses in checks:
        if refuses(posting):
            return result
    return R.ADMITTED


def check_postings(postings: Sequence[Posting]) -> TransferResult:
    """ADMITTED, or the first refusal of postings that are linked."""
    if not 1 <= len(postings) <= MAX_LEGS:
        return R.INVALID_LINKS
    results = (check_posting(posting) for posting in postings)
    return next((result for result in results if result is not R.ADMITTED), R.ADMITTED)


def quote_gift(gift_id: str, count: int, terms: Terms) -> Quote:
    """The price of an admitted request; KeyError when its gift is unknown."""
    gift = terms.gifts[gift_id]
    total_minor = gift.price_minor * count
    return Quote(
        total_minor,
        split_fee(total_minor, terms.fee_basis_points),
        f"{count} × {gift.name}",
    )


def settle(known: Known | None, request_hash: bytes) -> TransferResult:
    """What the books make of an admitted request that nothing else speaks against.

    `known`: what was carried out before under the same caller and request id.
    """
    if known is None:
        return R.POSTED
    if known.request_hash != request_hash:
        return R.IDEMPOTENCY_MISMATCH
    return R.REQUEST_EXPIRED if known.archived else R.REPEATED


def settle_gift(
    known: Known | None,
    request_hash: bytes,
    *,
    closed: bool,
    available_minor: int,
    total_minor: int,
) -> TransferResult:
    """What the books make of an admitted gift, given what the payer's wallet has and does not hold.

    `closed`: whether the payer's wallet or the payee's earnings are.
    """
    result = settle(known, request_hash)
    if result is not R.POSTED:
        return result
    if closed:
        return R.ACCOUNT_CLOSED
    return R.INSUFFICIENT_FUNDS if available_minor < total_minor else R.POSTED


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the books know of a logical account."""

    balance_minor: int = 0
    held_minor: int = 0
    closed: bool = False


def settle_posting(
    known: Known | None,
    request_hash: bytes,
    postings: Sequence[Posting],
    *,
    currencies: frozenset[str],
    references: frozenset[str],
    state: Callable[[Leg], AccountState],
) -> TransferResult:
    """What the books make of linked postings that were admitted, all or none of them.

    `references`: those in use. `state`: of the account of a leg, before the first posting.
    """
    result = settle(known, request_hash)
    if result is not R.POSTED:
        return result
    legs = [leg for posting in postings for leg in posting.legs]
    if not all(leg.currency in currencies for leg in legs):
        return R.UNKNOWN_CURRENCY
    if any(state(leg).closed for leg in legs):
        return R.ACCOUNT_CLOSED
    moved = Counter[Any]()
    used = set(references)
    for posting in postings:
        result = _settle_one(posting, used, moved, state)
        if result is not R.POSTED:
            break
    return result


def _settle_one(
    posting: Posting,
    used: set[str],
    moved: Counter[Any],
    state: Callable[[Leg], AccountState],
) -> TransferResult:
    """One of linked postings; `used` and `moved` are of those before it, too."""
    if posting.reference is not None:
        if posting.reference in used:
            return R.DUPLICATE_REFERENCE
        used.add(posting.reference)
    for leg in sorted(posting.legs, key=lambda leg: leg.amount_minor > 0):
        account = (leg.owner_id, leg.code, leg.currency)
        moved[account] += leg.amount_minor
        before = state(leg)
        balance_minor = before.balance_minor + moved[account]
        guarded = CHART[leg.code].guarded and leg.amount_minor < 0
        if guarded and balance_minor < before.held_minor:
            return R.INSUFFICIENT_FUNDS
        if abs(balance_minor) > MAX_MINOR:
            return R.AMOUNT_TOO_LARGE
    return R.POSTED
