"""What this process has committed lately, so that its publisher need not read that back.

A batch whose number follows the one that was published last may be published from here: every
number before it has been published, so nothing can be missing in front of it. Everything else is
the database's to say: what other processes committed, what was committed while an answer was lost,
and which numbers nobody will ever use.
"""

from ledger.outbox import LogBatch

MOST_BYTES = 16 * 2**20


class RecentBatches:
    """Batches by their number; all are forgotten where they outgrow `most_bytes` of JSON."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._batches: dict[int, LogBatch] = {}
        self._bytes = 0

    @property
    def newest(self) -> int:
        """The highest number that is kept, else 0."""
        return max(self._batches, default=0)

    def add(self, batch: LogBatch) -> None:
        """Keep a batch that was committed just now."""
        if self._bytes + len(batch.events) > self._most_bytes:
            self.clear()
        self._batches[batch.sequence] = batch
        self._bytes += len(batch.events)

    def clear(self) -> None:
        """Forget all."""
        self._batches.clear()
        self._bytes = 0

    def behind(self, cursor: int, limit: int) -> tuple[LogBatch, ...]:
        """The batches that follow it without a gap, at most `limit`; forgets those up to it."""
        for sequence in [known for known in self._batches if known <= cursor]:
            self._bytes -= len(self._batches.pop(sequence).events)
        batches: list[LogBatch] = []
        while len(batches) < limit and (next_ := self._batches.get(cursor + 1 + len(batches))):
            batches.append(next_)
        return tuple(batches)
