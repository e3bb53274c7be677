"""Reads that may be a little behind: from a read replica where it is fit, else from the database.

A replica is fit while it answers and is at most `max_lag_s` behind. That is looked at when it is
needed, at most once a second; a replica that fails is left alone for a few seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

log = logging.getLogger(__name__)

LOOK_S = 1.0
LEFT_ALONE_S = 5.0
ANSWER_PATIENCE_S = 1.0

LAG = """
SELECT CASE
    WHEN NOT pg_is_in_recovery() THEN 0
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 'inf')
END::float8
"""
"""A replica that has replayed all it received is not behind, however old the last commit is."""

FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Reads:
    """Connections for reading, in place of a pool."""

    def __init__(
        self, database: asyncpg.Pool, replica: asyncpg.Pool | None, *, max_lag_s: float
    ) -> None:
        self._database = database
        self._replica = replica
        self._max_lag_s = max_lag_s
        self._is_fit = False
        self._look_at = 0.0
        self.from_replica = 0
        self.from_database = 0

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator[PoolConnectionProxy]:
        """A connection to whichever is fit; what fails on it is the caller's to try again.

        Raises what a pool raises.
        """
        replica = self._replica
        if replica is None or not await self._fit(replica):
            self.from_database += 1
            async with self._database.acquire(timeout=timeout) as connection:
                yield connection
            return
        self.from_replica += 1
        try:
            async with replica.acquire(timeout=timeout) as connection:
                yield connection
        except FAULTS as error:
            self._leave_alone(error)
            raise

    async def _fit(self, replica: asyncpg.Pool) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return self._is_fit
        self._look_at = now + LOOK_S
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                lag_s = float(await replica.fetchval(LAG))
        except FAULTS as error:
            self._leave_alone(error)
        else:
            self._is_fit = lag_s <= self._max_lag_s
            if not self._is_fit:
                log.warning("the read replica is behind", extra={"lag_s": lag_s})
        return self._is_fit

    def _leave_alone(self, error: Exception) -> None:
        self._is_fit = False
        self._look_at = asyncio.get_running_loop().time() + LEFT_ALONE_S
        log.warning("the read replica is away", extra={"error": repr(error)})
