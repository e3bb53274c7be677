"""A batch of gifts, laid out as the database posts it: accounts, what each gets, and the legs.

What is known before the wallets are locked is worked out here, so that under the locks nothing is
left but to look and to write. Where the database has found that something speaks against a gift of
the batch, `judge` says against which.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from ledger.gifts import PreparedGift
from ledger.money import MAX_MINOR
from ledger.transfer import TransferResult, settle_gift


@dataclass(frozen=True, slots=True)
class GiftBatch:
    """Gifts in order of arrival, each under a request of its own.

    Accounts are numbered from 1: the wallets of the payers, the earnings of the payees (both
    ascending by owner, the order in which they are locked), then the fees of the house.
    """

    payers: int
    """How many payers there are."""
    payer_of: Sequence[int]
    """Of each gift, the number of the payer's wallet."""
    payer_moved: Sequence[int]
    """Of each gift, how far that wallet has moved after it since before the batch."""
    payee_of: Sequence[int]
    """Of each gift, the number of the payee's earnings."""
    columns: tuple[str | Sequence[object], ...]
    """The arrays of ledger.post_gifts from `p_payers` on: numbers and ids as literals, texts as
    lines, for the driver looks at each element of an array three times before it writes it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the database has found where it posted nothing."""

    available: Sequence[int | None]
    """Of each payer, what the wallet has and does not hold; None where it is closed."""
    closed: Sequence[bool]
    """Of each payee, whether the earnings are closed."""
    known: Sequence[str | None]
    """Of each gift, what its request is answered with since it was carried out before."""


def lay_out(gifts: Sequence[PreparedGift]) -> GiftBatch:
    """The batch of these gifts.

    Raises OverflowError where more comes together on an account than a balance can hold.
    """
    payer_ids, payee_ids, fees, totals, *rest = zip(*gifts, strict=True)
    requests, hashes, transactions, descriptions, events = rest
    payers, payees = _ascending(payer_ids), _ascending(payee_ids)
    wallet_of = {payer.int: number for number, payer in enumerate(payers, 1)}
    earnings_of = {payee.int: number for number, payee in enumerate(payees, 1 + len(payers))}
    moved = [0] * (1 + len(payers) + len(payees))
    payer_of, payer_moved, payee_of, payee_moved, house_moved = [], [], [], [], []
    charged = 0
    for payer_id, payee_id, total, fee in zip(payer_ids, payee_ids, totals, fees, strict=True):
        payer, payee = wallet_of[payer_id.int], earnings_of[payee_id.int]
        moved[payer] -= total
        moved[payee] += total - fee
        charged += fee
        payer_of.append(payer)
        payer_moved.append(moved[payer])
        payee_of.append(payee)
        payee_moved.append(moved[payee])
        house_moved.append(charged)
    changes = [*moved[1:], charged] if charged else moved[1:]
    if max(charged, *map(abs, changes)) > MAX_MINOR:
        raise OverflowError("the gifts of this batch add up to more than a balance can hold")
    return GiftBatch(
        payers=len(payers),
        payer_of=payer_of,
        payer_moved=payer_moved,
        payee_of=payee_of,
        columns=(
            literal(payers),
            literal(payees),
            literal(changes),
            literal(payer_of),
            literal(payer_moved),
            literal(payee_of),
            literal(payee_moved),
            literal(house_moved),
            literal(fees),
            literal(totals),
            literal(requests),
            hashes,
            literal(transactions),
            "\n".join(descriptions),
            "\n".join(events),
        ),
    )


def judge(
    gifts: Sequence[PreparedGift], batch: GiftBatch, found: Found
) -> list[tuple[TransferResult, int]]:
    """What becomes of each gift of a batch, and what its payer could spend then.

    A refused gift leaves its coins to those behind it.
    """
    left = [0 if available is None else available for available in found.available]
    judged = []
    for place, (gift, payer, payee) in enumerate(
        zip(gifts, batch.payer_of, batch.payee_of, strict=True)
    ):
        available = left[payer - 1]
        known = found.known[place]
        result = (
            TransferResult(known)
            if known
            else settle_gift(
                None,
                gift.request_hash,
                closed=found.available[payer - 1] is None or found.closed[payee - 1 - batch.payers],
                available_minor=available,
                total_minor=gift.total_minor,
            )
        )
        if result is TransferResult.POSTED:
            left[payer - 1] -= gift.total_minor
        judged.append((result, available))
    return judged


def literal(values: Sequence[int] | Sequence[UUID]) -> str:
    """A literal of an array of PostgreSQL, where it differs from JSON in its brackets alone."""
    return f"{{{orjson.dumps(values, default=str)[1:-1].decode()}}}"


def _ascending(owners: Iterable[UUID]) -> list[UUID]:
    """Each once, in the database's order."""
    by_value = {owner.int: owner for owner in owners}
    return [by_value[value] for value in sorted(by_value)]
