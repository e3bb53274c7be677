"""Which items of two lists are the same money: the ledger's, and a payment provider's.

In this order, and each item at most once:

1. by reference: items of one currency and reference, one against one or one against several,
   where the sums agree within the tolerance
2. one to one by amount and date, where at least one of the two has no reference
3. one to several by sum and date, where at least one side has no reference; a sum that can be made
   in more than one way is left to a person

Among some twenty movements a few make up almost any amount. So a sum counts where its parts belong
together (they have one reference, or are all that is free of one day, as when a provider pays out a
day), or where in a hundred such runs not one sum would be found by chance (`_is_proven`). Any other
is proposed to a person.

Sums are looked for in `MAX_SUM_STEPS` steps in all. What they do not suffice for is left over, too.

Every result is the same for any order of the input. What is left over says why.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import comb

from ledger.reconcile.items import Item, Tolerance
from ledger.reconcile.search import MAX_STEPS, closest_pairs, nearest_pairs, parts_of

RUNS_TO_CHANCE = 100
"""Of so many runs one may find a sum by chance and take it for a match."""

MAX_SUM_STEPS = 5_000_000
"""Most steps of looking for sums in one run, some seconds."""

_Shelves = dict[tuple[str, date], list[Item]]


class MatchKind(StrEnum):
    """By what items were found to be the same."""

    REFERENCE = "reference"
    AMOUNT = "amount"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Match:
    """Keys of both sides, one of which has one; `difference_minor` is theirs less ours."""

    kind: MatchKind
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    difference_minor: int


class Reason(StrEnum):
    """Why an item is left over."""

    NO_COUNTERPART = "no_counterpart"
    AMOUNT_DIFFERS = "amount_differs"
    """The other side knows its reference, with another amount."""

    REPEATED = "repeated"
    """Another item of its side with the same reference and amount was matched."""

    AMBIGUOUS = "ambiguous"
    """The other side can make up its amount in more than one way."""

    PROPOSED = "proposed"
    """Several of the other side make up its amount, and it may be chance: `parts` names them."""

    SEARCH_ENDED = "search_ended"
    """There was too much to look through: parts of the other side may make up its amount."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An item that no other is the same as."""

    item: Item
    reason: Reason
    parts: tuple[str, ...] = ()
    """Keys of the other side that are proposed for it."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Everything that went in: matched, or left over on its side."""

    matches: tuple[Match, ...]
    ours: tuple[Leftover, ...]
    theirs: tuple[Leftover, ...]


def match(ours: Iterable[Item], theirs: Iterable[Item], tolerance: Tolerance) -> Matching:
    """Match two lists. Raises ValueError where a key stands twice in one of them."""
    work = _Work(_by_key(ours), _by_key(theirs), tolerance)
    work.by_reference()
    work.by_amount()
    work.by_sum()
    return work.result()


def _by_key(items: Iterable[Item]) -> dict[str, Item]:
    listed = sorted(items, key=lambda item: item.key)
    keyed = {item.key: item for item in listed}
    if len(keyed) < len(listed):
        raise ValueError("two items of one list have the same key")
    return keyed


class _Work:
    """The items that are still free, in order of their keys, and the matches so far."""

    def __init__(self, ours: dict[str, Item], theirs: dict[str, Item], tolerance: Tolerance):
        self._ours, self._theirs = ours, theirs
        self._tolerance = tolerance
        self._matches: list[Match] = []
        self._steps = self._wholes = 0
        self._matched: set[tuple[bool, str | None, int, str]] = set()
        self._shared: set[tuple[str, str]] = set()
        self._judged: dict[tuple[bool, str], Leftover] = {}
        """What is known of items that sums were looked for, by side and key."""

    # ---- 1 ----

    def by_reference(self) -> None:
        ours, theirs = _by_reference(self._ours.values()), _by_reference(self._theirs.values())
        for name in sorted(ours.keys() & theirs.keys()):
            self._shared.add(name)
            mine, yours = ours[name], theirs[name]
            for one, other in closest_pairs(mine, yours, self._same_amount):
                self._take(MatchKind.REFERENCE, [one], [other])
            mine = [item for item in mine if item.key in self._ours]
            yours = [item for item in yours if item.key in self._theirs]
            if min(len(mine), len(yours)) == 1 and self._sums_agree(mine, yours):
                self._take(MatchKind.REFERENCE, mine, yours)

    # ---- 2 ----

    def by_amount(self) -> None:
        theirs = _by_currency(self._theirs.values())
        for currency, mine in _by_currency(self._ours.values()).items():
            for one, other in nearest_pairs(mine, theirs.get(currency, []), self._tolerance):
                self._take(MatchKind.AMOUNT, [one], [other])

    # ---- 3 ----

    def by_sum(self) -> None:
        self._steps, self._wholes = MAX_SUM_STEPS // 2, len(self._theirs)
        shelves = _by_day(self._ours.values())
        for item in list(self._theirs.values()):
            if (parts := self._parts(item, shelves, self._ours, is_ours=False)) is not None:
                self._take(MatchKind.SUM, parts, [item])
        self._steps, self._wholes = self._steps + MAX_SUM_STEPS // 2, len(self._ours)
        shelves = _by_day(self._theirs.values())
        for item in list(self._ours.values()):
            if (parts := self._parts(item, shelves, self._theirs, is_ours=True)) is not None:
                self._take(MatchKind.SUM, [item], parts)

    def _parts(
        self, whole: Item, shelves: _Shelves, free: dict[str, Item], *, is_ours: bool
    ) -> list[Item] | None:
        """The only free parts that make up `whole` and prove it, else None."""
        reach = self._tolerance.days
        days = [whole.on + timedelta(days) for days in range(-reach, reach + 1)]
        near = [shelves[whole.currency, day] for day in days if (whole.currency, day) in shelves]
        if sum(map(len, near)) < 2:
            return None
        self._steps -= sum(map(len, near))
        candidates: list[Item] = []
        if self._steps > 0:
            candidates = [
                item
                for shelf in near
                for item in shelf
                if item.key in free and _may_be_part(item, whole)
            ]
        most = min(MAX_STEPS, self._steps)
        sums = parts_of(whole.amount_minor, candidates, self._tolerance, max(most, 0))
        self._steps -= sums.steps
        if len(sums.choices) > 1:
            judged = Leftover(whole, Reason.AMBIGUOUS)
        elif not sums.is_complete:
            judged = Leftover(whole, Reason.SEARCH_ENDED)
        elif not sums.choices:
            return None
        elif self._is_proven(whole, sums.choices[0], candidates):
            return sums.choices[0]
        else:
            keys = tuple(sorted(part.key for part in sums.choices[0]))
            judged = Leftover(whole, Reason.PROPOSED, keys)
        self._judged[is_ours, whole.key] = judged
        return None

    # ---- judgement ----

    def _is_proven(self, whole: Item, parts: Sequence[Item], candidates: Sequence[Item]) -> bool:
        """Whether it can hardly be chance that these of the candidates make up `whole`.

        Of as many sums as could be made of so few candidates, and as many amounts that are looked
        for, one in `amount` meets by chance.
        """
        days, references = {part.on for part in parts}, {part.reference for part in parts}
        if len(references) == 1 and None not in references:
            return True
        if len(days) == 1 and sum(each.on in days for each in candidates) == len(parts):
            return True
        apart, amount = self._tolerance.amount_minor, abs(whole.amount_minor)
        small = sum(abs(each.amount_minor) <= amount + apart for each in candidates)
        sums = sum(comb(small, count) for count in range(2, len(parts) + 1))
        return sums * (2 * apart + 1) * self._wholes * RUNS_TO_CHANCE <= amount

    def _same_amount(self, one: Item, other: Item) -> bool:
        return abs(one.amount_minor - other.amount_minor) <= self._tolerance.amount_minor and (
            (one.amount_minor < 0) == (other.amount_minor < 0)
        )

    def _sums_agree(self, ours: Sequence[Item], theirs: Sequence[Item]) -> bool:
        mine, yours = _total(ours), _total(theirs)
        near = abs(yours - mine) <= self._tolerance.amount_minor
        return near and (mine < 0) == (yours < 0)

    def _take(self, kind: MatchKind, ours: Sequence[Item], theirs: Sequence[Item]) -> None:
        for is_ours, items, free in ((True, ours, self._ours), (False, theirs, self._theirs)):
            for item in items:
                del free[item.key]
                self._matched.add((is_ours, item.reference, item.amount_minor, item.currency))
        keys = [tuple(sorted(item.key for item in items)) for items in (ours, theirs)]
        self._matches.append(Match(kind, keys[0], keys[1], _total(theirs) - _total(ours)))

    # ---- result ----

    def result(self) -> Matching:
        return Matching(
            tuple(self._matches),
            tuple(self._leftover(item, True) for item in self._ours.values()),
            tuple(self._leftover(item, False) for item in self._theirs.values()),
        )

    def _leftover(self, item: Item, is_ours: bool) -> Leftover:
        named = (is_ours, item.reference, item.amount_minor, item.currency)
        if item.reference is not None and named in self._matched:
            return Leftover(item, Reason.REPEATED)
        if item.reference is not None and (item.currency, item.reference) in self._shared:
            return Leftover(item, Reason.AMOUNT_DIFFERS)
        return self._judged.get((is_ours, item.key)) or Leftover(item, Reason.NO_COUNTERPART)


def _may_be_part(part: Item, whole: Item) -> bool:
    return (
        (part.reference is None or whole.reference is None)
        and (part.amount_minor < 0) == (whole.amount_minor < 0)
        and part.amount_minor != 0
    )


def _by_day(items: Iterable[Item]) -> _Shelves:
    shelves: _Shelves = defaultdict(list)
    for item in items:
        shelves[item.currency, item.on].append(item)
    return shelves


def _by_reference(items: Iterable[Item]) -> dict[tuple[str, str], list[Item]]:
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.reference is not None:
            groups[item.currency, item.reference].append(item)
    return groups


def _by_currency(items: Iterable[Item]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.currency].append(item)
    return groups


def _total(items: Iterable[Item]) -> int:
    return sum(item.amount_minor for item in items)
