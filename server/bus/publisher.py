"""Writing the stream: the sink of the ledger's outbox."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from ledger.outbox import LogBatch, SinkCutShort
from server.bus.stream import STREAM_KEY

STREAM_BYTES = 256 * 2**20
"""Memory that the stream may take in Redis, about."""

MIN_ENTRIES = 1_000
"""Entries that are kept however large they are."""

ENTRY_OVERHEAD_BYTES = 64
"""What Redis itself spends on an entry, about."""

WEIGHT = 1 / 64
"""Share of the newest batch in the running mean of their sizes."""

APPENDED = -1
APPEND = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #newest > 0 then
    local fields = newest[1][2]
    for i = 1, #fields, 2 do
        if fields[i] == 'sequence' and tonumber(fields[i + 1]) < tonumber(ARGV[1]) then
            return tonumber(fields[i + 1])
        end
    end
end
local after = ARGV[1]
for i = 3, #ARGV, 2 do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*',
               'events', ARGV[i], 'sequence', ARGV[i + 1], 'after', after)
    after = ARGV[i + 1]
end
return -1
"""
"""A script, so that the stream can't be cut short between the look at its end and the entries."""


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

        Raises redis.RedisError, when entries may have been written even so, and SinkCutShort where
        the stream ends before `after`: a Redis that was killed may have lost what it had taken in
        its last second. An empty stream is taken as it is; its readers have the log.
        """
        entries: list[bytes | int] = []
        for batch in batches:
            most = self._max_entries(len(batch.events))
            entries += (batch.events, batch.sequence)
        last = int(await self._redis.eval(APPEND, 1, self._key, str(after), str(most), *entries))
        if last != APPENDED:
            raise SinkCutShort(last)
        self.last_sequence = batches[-1].sequence

    def _max_entries(self, size: int) -> int:
        if self._mean_bytes is None:
            self._mean_bytes = float(size)
        self._mean_bytes += (size - self._mean_bytes) * WEIGHT
        return max(MIN_ENTRIES, int(self._max_bytes / (self._mean_bytes + ENTRY_OVERHEAD_BYTES)))
