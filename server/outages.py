"""What the drivers raise when a store is away: not our mistake, and not the caller's."""

from typing import Final

import asyncpg
import redis.exceptions

from compliance.aml.errors import StoreUnavailable

OUTAGES: Final[tuple[type[Exception], ...]] = (
    OSError,  # refused and reset connections, and TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.BusyLoadingError,
    redis.exceptions.ReadOnlyError,  # a replica that is not promoted yet
    redis.exceptions.OutOfMemoryError,
    StoreUnavailable,
)
