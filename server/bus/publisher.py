"""Writing the stream: the sink of the ledger's outbox."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from ledger.outbox import LogBatch
from server.bus.stream import AFTER_FIELD, FIELD, SEQUENCE_FIELD, STREAM_KEY

STREAM_BYTES = 256 * 2**20
"""Memory that the stream may take in Redis, about."""

MIN_ENTRIES = 1_000
"""Entries that are kept however large they are."""

ENTRY_OVERHEAD_BYTES = 64
"""What Redis itself spends on an entry, about."""

WEIGHT = 1 / 64
"""Share of the newest batch in the running mean of their sizes."""


class LedgerEventStream:
    """Appends batches; the oldest entries go when the stream outgrows its memory.

    Redis bounds a stream by entries, so the bound is the memory divided by the mean size of a
    batch. With single gifts that are about half a million entries, with full batches of 500 a
    thousand, always about half a million events: what a stopped reader may fall behind before it
    loses any. `GroupLag.lost` says when one did.
    """

    def __init__(
        self, redis: Redis, *, key: str = STREAM_KEY, max_bytes: int = STREAM_BYTES
    ) -> None:
        self._redis = redis
        self._key = key
        self._max_bytes = max_bytes
        self._mean_bytes: float | None = None
        self.last_sequence = 0
        """Log sequence of the last batch that was written by this process."""

    async def publish(self, batches: Sequence[LogBatch], after: int) -> None:
        """Append an entry for each batch, which says which one it follows in the log.

        Raises redis.RedisError; entries may have been written even so.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            for batch in batches:
                fields = {FIELD: batch.events, SEQUENCE_FIELD: batch.sequence, AFTER_FIELD: after}
                pipeline.xadd(
                    self._key,
                    fields,  # type: ignore[arg-type]
                    maxlen=self._max_entries(len(batch.events)),
                    approximate=True,
                )
                after = batch.sequence
            await pipeline.execute()
        self.last_sequence = after

    def _max_entries(self, size: int) -> int:
        if self._mean_bytes is None:
            self._mean_bytes = float(size)
        self._mean_bytes += (size - self._mean_bytes) * WEIGHT
        return max(MIN_ENTRIES, int(self._max_bytes / (self._mean_bytes + ENTRY_OVERHEAD_BYTES)))
