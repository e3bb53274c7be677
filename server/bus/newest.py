"""The newest batches of the stream, to compare with the ledger's log."""

from __future__ import annotations

import hashlib
from typing import Any

from redis.asyncio import Redis

from server.bus.stream import FIELD, STREAM_KEY, place_of

PAGE = 100


class NewestBatches:
    """Reads the stream from its end backwards; raises redis.RedisError."""

    def __init__(self, redis: Redis, *, key: str = STREAM_KEY) -> None:
        self._redis = redis
        self._key = key

    async def newest(self, limit: int) -> dict[int, bytes]:
        """SHA-256 of the newest `limit` batches, by their sequence in the log.

        Of a batch that was published again, the last one counts. Entries whose writer did not say
        a sequence are passed over.
        """
        found: dict[int, bytes] = {}
        end = "+"
        while len(found) < limit:
            page: Any = await self._redis.xrevrange(self._key, max=end, count=PAGE)
            for _, fields in page:
                _, sequence = place_of(fields)
                if sequence is not None and len(found) < limit:
                    found.setdefault(sequence, hashlib.sha256(fields.get(FIELD, b"")).digest())
            if len(page) < PAGE:
                break
            end = f"({page[-1][0].decode()}"
        return found
