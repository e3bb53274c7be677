"""Which events may be published, although their numbers are committed out of order.

A posting draws its event's sequence number before it commits, so number 7 can be visible while 6 is
still on its way; publishing 7 and moving the cursor there would lose 6 for ever. A number that is
missing is either on its way or was rolled back, and only time tells:

- PostgreSQL gives a posting its transaction id before it draws a number. When 7 is visible, whoever
  drew 6 therefore has a lower transaction id than a transaction that begins after that look.
- Once every posting below that id has ended, what is still missing was rolled back. Postings are
  known by their lock on ledger.accounts, which they have before they draw a number.

So events are held back only behind a gap, and only while a posting that could fill it runs, however
long other transactions take.
(Publishing in order of transaction ids instead would wait for every running transaction of the
database, and could show a later balance of an account before an earlier one.)

What is known holds for one database. A standby that is promoted without the end of the log draws
the same numbers once more: so whoever looks begins with new `Gaps` after a failure, and everything
is forgotten where the cursor went back.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Watch:
    """Gaps up to `sequence` are settled when no posting below `transaction` runs."""

    sequence: int
    transaction: int


class Gaps:
    """What is known about missing sequence numbers."""

    def __init__(self) -> None:
        self._cursor = self._settled = 0
        self._watch: _Watch | None = None

    @property
    def watched(self) -> bool:
        """Whether gaps are being watched; they must be settled before others can be."""
        return self._watch is not None

    def ready(self, cursor: int, sequences: Sequence[int], oldest_running: int) -> int:
        """How many of `sequences` may be published.

        `sequences`: what is visible behind `cursor`, in order, read after `oldest_running`, the
        lowest id of a running posting.
        """
        if cursor < self._cursor:
            self._settled, self._watch = 0, None
        self._cursor = cursor
        if self._watch is not None and oldest_running >= self._watch.transaction:
            self._settled, self._watch = self._watch.sequence, None
        previous = cursor
        for count, sequence in enumerate(sequences):
            if sequence > previous + 1 and sequence - 1 > self._settled:
                return count
            previous = sequence
        return len(sequences)

    def watch(self, sequence: int, transaction: int) -> None:
        """Watch the gaps up to `sequence`, which is visible.

        `transaction`: the id of a transaction that began after `sequence` was seen.
        """
        self._watch = _Watch(sequence, transaction)
