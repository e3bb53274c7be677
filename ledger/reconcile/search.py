"""The searches of the matcher: pairs that are close, and parts that make up a sum."""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.reconcile.items import Item, Tolerance

MAX_STEPS = 20_000
"""Most steps of looking for the parts of one sum."""


def closest_pairs(
    ours: Sequence[Item], theirs: Sequence[Item], same: Callable[[Item, Item], bool]
) -> Iterator[tuple[Item, Item]]:
    """Pairs that may be the same, closest in amount, then in date, first; each item once.

    Looks at every pair, so it is for short lists.
    """
    pairs = sorted(
        (abs(one.amount_minor - other.amount_minor), abs((one.on - other.on).days), one.key, at, to)
        for at, one in enumerate(ours)
        for to, other in enumerate(theirs)
        if same(one, other)
    )
    free_ours, free_theirs = set(range(len(ours))), set(range(len(theirs)))
    for _, _, _, at, to in pairs:
        if at in free_ours and to in free_theirs:
            free_ours.remove(at)
            free_theirs.remove(to)
            yield ours[at], theirs[to]


def nearest_pairs(
    ours: Sequence[Item], theirs: Sequence[Item], tolerance: Tolerance
) -> Iterator[tuple[Item, Item]]:
    """Pairs of one currency within the tolerance, at least one of them without a reference.

    Closest in amount, then in date, first; each item once. Its time grows with the lists, not with
    their product, however many items have one amount.
    """
    shelves: dict[tuple[bool, int, date], deque[Item]] = defaultdict(deque)
    for item in theirs:
        shelves[item.reference is None, item.amount_minor, item.on].append(item)
    free = {item.key: item for item in ours}
    for apart in _distances(ours, theirs, tolerance.amount_minor):
        for days in range(tolerance.days + 1):
            for one in list(free.values()):
                if (other := _take_at(one, apart, days, shelves)) is not None:
                    del free[one.key]
                    yield one, other


def _distances(ours: Sequence[Item], theirs: Sequence[Item], most: int) -> list[int]:
    """How far apart amounts of both lists are, where that is not too far; ascending."""
    amounts = sorted({item.amount_minor for item in theirs})
    return sorted(
        {
            abs(amount - other)
            for amount in {item.amount_minor for item in ours}
            for other in amounts[
                bisect_left(amounts, amount - most) : bisect_right(amounts, amount + most)
            ]
        }
    )


def _take_at(
    one: Item, apart: int, days: int, shelves: dict[tuple[bool, int, date], deque[Item]]
) -> Item | None:
    for unnamed in (True, False) if one.reference is None else (True,):
        for amount in {one.amount_minor - apart: None, one.amount_minor + apart: None}:
            if (amount < 0) != (one.amount_minor < 0):
                continue
            for on in {one.on - timedelta(days): None, one.on + timedelta(days): None}:
                if shelf := shelves.get((unnamed, amount, on)):
                    return shelf.popleft()
    return None


@dataclass(frozen=True, slots=True)
class Sums:
    """Up to two choices of parts that make up one sum: with two there is no telling which it is."""

    choices: list[list[Item]]
    steps: int
    is_complete: bool
    """Whether all was looked at that had to be; else there may be choices that were not found."""


def parts_of(
    whole_minor: int, parts: Sequence[Item], tolerance: Tolerance, most_steps: int = MAX_STEPS
) -> Sums:
    """Choices of two or more parts that sum to `whole_minor` within the tolerance.

    All parts have its sign, and none is zero.
    """
    size = [abs(part.amount_minor) for part in parts]
    order = sorted(range(len(parts)), key=lambda at: (-size[at], parts[at].key))
    rest = [0] * (len(order) + 1)
    for at in range(len(order) - 1, -1, -1):
        rest[at] = rest[at + 1] + size[order[at]]
    low = abs(whole_minor) - tolerance.amount_minor
    high = abs(whole_minor) + tolerance.amount_minor
    choices: list[list[Item]] = []
    steps = 0
    # Depth first over "take this one" and "leave it", largest first. One more part may fit within
    # the tolerance, too: what was found is gone on from.
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    while stack and len(choices) < 2:
        if steps == most_steps:
            return Sums(choices, steps, is_complete=False)
        steps += 1
        at, total, chosen = stack.pop()
        if at == len(order) or len(chosen) == tolerance.group or total + rest[at] < low:
            continue
        stack.append((at + 1, total, chosen))
        taken, more = (*chosen, order[at]), total + size[order[at]]
        if more <= high:
            stack.append((at + 1, more, taken))
            if more >= low and len(taken) > 1:
                choices.append([parts[each] for each in taken])
    return Sums(choices, steps, is_complete=True)
