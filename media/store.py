"""The catalogue's records in PostgreSQL. The only importer of asyncpg."""

from datetime import datetime
from uuid import UUID

import asyncpg

from config.sql import load_queries
from media.catalog import CatalogState, Stream

_QUERIES = load_queries("media", "sql/streams.sql")


class StreamStore:
    """`media.catalog.StreamRecords` over a pool of connections."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def insert(self, stream: Stream, key_hash: bytes, *, max_streams: int) -> Stream | None:
        async with self._pool.acquire() as connection, connection.transaction():
            # Two requests at once may not both find room for the last stream.
            await connection.execute(_QUERIES["lock_owner"], stream.owner_id)
            if await connection.fetchval(_QUERIES["count_owned"], stream.owner_id) >= max_streams:
                return None
            row = await connection.fetchrow(
                _QUERIES["insert"],
                stream.stream_id,
                stream.owner_id,
                stream.owner_name,
                stream.title,
                key_hash,
                stream.created_at,
            )
            return _stream(row)

    async def get(self, stream_id: UUID) -> Stream | None:
        return await self._one("get", stream_id)

    async def owned(self, owner_id: UUID) -> list[Stream]:
        return await self._many("owned", owner_id)

    async def not_offline(self) -> list[Stream]:
        return await self._many("not_offline")

    async def rename(self, stream_id: UUID, title: str) -> Stream | None:
        return await self._one("rename", stream_id, title)

    async def replace_key(self, stream_id: UUID, key_hash: bytes) -> Stream | None:
        return await self._one("replace_key", stream_id, key_hash)

    async def key_hash(self, stream_id: UUID) -> bytes | None:
        found: bytes | None = await self._pool.fetchval(_QUERIES["key_hash"], stream_id)
        return found

    async def mark_live(self, stream_id: UUID, now: datetime) -> None:
        await self._pool.execute(_QUERIES["mark_live"], stream_id, now)

    async def mark_interrupted(self, stream_id: UUID) -> None:
        await self._pool.execute(_QUERIES["mark_interrupted"], stream_id)

    async def mark_offline(self, stream_id: UUID) -> None:
        await self._pool.execute(_QUERIES["mark_offline"], stream_id)

    async def reset_live(self) -> None:
        await self._pool.execute(_QUERIES["reset_live"])

    async def _one(self, query: str, *arguments: object) -> Stream | None:
        return _stream(await self._pool.fetchrow(_QUERIES[query], *arguments))

    async def _many(self, query: str, *arguments: object) -> list[Stream]:
        rows = await self._pool.fetch(_QUERIES[query], *arguments)
        return [stream for stream in map(_stream, rows) if stream is not None]


def _stream(row: asyncpg.Record | None) -> Stream | None:
    if row is None:
        return None
    return Stream(**{**row, "state": CatalogState(row["state"])})
