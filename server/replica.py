"""Reads that may be a little behind: from a read replica where it is fit, else from the database.

A replica is fit while it answers and is at most `max_lag_s` behind (server/replica_lag.py). That is
looked at when it is needed, at most once a second; a replica that fails is left alone for a few
seconds. While the database is away, the replica is fit for as long as what it showed last was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from server.replica_lag import Position, Replayed, ReplicaLag

log = logging.getLogger(__name__)

LOOK_S = 1.0
LEFT_ALONE_S = 5.0
ANSWER_PATIENCE_S = 1.0

POSITION = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS log_end,
       clock_timestamp() AS clock, pg_postmaster_start_time() AS started_at
"""
REPLAYED = """
SELECT pg_is_in_recovery() AS in_recovery,
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS log_end,
       pg_last_xact_replay_timestamp() AS committed_at, pg_postmaster_start_time() AS started_at
"""

FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Of a server that is asked how it is, or for a connection."""

ITS_DOING = (
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.SerializationError,  # replaying cancelled the read
    asyncpg.DeadlockDetectedError,  # so it did
)
"""What a read fails with because of the server that it is sent to, whatever is asked."""


class Reads:
    """Connections for reading, in place of a pool."""

    def __init__(
        self, database: asyncpg.Pool, replica: asyncpg.Pool | None, *, max_lag_s: float
    ) -> None:
        self._database = database
        self._replica = replica
        self._max_lag_s = max_lag_s
        self._lag = ReplicaLag(keep_s=max_lag_s)
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
            connection = await replica.acquire(timeout=timeout)
        except FAULTS as error:
            self._leave_alone(error)
            raise
        try:
            yield connection
        except Exception as error:
            if isinstance(error, ITS_DOING) or _is_lost(connection):
                self._leave_alone(error)
            raise
        finally:
            await replica.release(connection)

    async def _fit(self, replica: asyncpg.Pool) -> bool:
        now = _now()
        if now < self._look_at:
            return self._is_fit
        self._look_at = now + LOOK_S
        try:
            await self._mark(now)
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                replayed = Replayed(*(await replica.fetch(REPLAYED))[0])
            lag_s = self._lag.behind_s(_now(), replayed)
            if self._lag.is_beyond(replayed) and await self._mark(_now()):
                # It has what the database, asked again, has not: another log than this one's.
                lag_s = inf if self._lag.is_beyond(replayed) else lag_s
        except FAULTS as error:
            self._leave_alone(error)
        else:
            self._is_fit = lag_s <= self._max_lag_s
            if not self._is_fit:
                log.warning("the read replica is behind", extra={"lag_s": lag_s})
        return self._is_fit

    async def _mark(self, now: float) -> bool:
        """Where the database is, asked before the replica is; while it is away there is no mark."""
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                position = Position(*(await self._database.fetch(POSITION))[0])
        except FAULTS as error:
            log.warning("the database does not say where it is", extra={"error": repr(error)})
            return False
        self._lag.mark(now, position)
        return True

    def _leave_alone(self, error: Exception) -> None:
        self._is_fit = False
        self._look_at = _now() + LEFT_ALONE_S
        log.warning("the read replica is away", extra={"error": repr(error)})


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_lost(connection: PoolConnectionProxy) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken it back
        return True
