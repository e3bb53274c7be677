"""The ledger's database for commands that read it, whether a server is running or not.

`server.stores.open_stores` takes the data folder for itself, so it waits for a running server to
end. What only reads need not: it joins the PostgreSQL that runs, by URL or in the data folder.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from config.stores import StoreSettings
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.archive import archiving
from server.embedded.folder import DataFolder, default_data_dir
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.timelines import note_run

CHECKPOINT_KEYS = "checkpoint-keys"
"""The folder in the data folder of the keys that sign checkpoints."""


@dataclass(frozen=True, slots=True)
class LedgerAccess:
    """Connections to the ledger's database, and the folder of the keys."""

    pool: asyncpg.Pool
    keys: Path
    alone: bool
    """The database was started for this: no server works on it."""


@asynccontextmanager
async def open_ledger(settings: StoreSettings) -> AsyncIterator[LedgerAccess]:
    """Join the database that runs, else start the embedded one for as long as the block runs.

    Nothing is migrated. Raises as `server.stores.open_stores` does.
    """
    async with AsyncExitStack() as stack:
        folder = DataFolder(settings.data_dir or default_data_dir())
        stack.callback(folder.release)
        url, alone = await _url(settings, folder, stack)
        pool = await create_pool(url, size=4)
        stack.callback(pool.terminate)
        yield LedgerAccess(pool, folder.path / CHECKPOINT_KEYS, alone)


async def _url(
    settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack
) -> tuple[str, bool]:
    """And whether it was started for this."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value(), False
    account = store_account()
    postgres = EmbeddedPostgres(folder, account, archiving(settings, account))
    if await postgres.attach():
        return postgres.url, False
    await folder.acquire()
    stack.push_async_callback(postgres.stop)
    note_run(settings, postgres.cluster, datetime.now(UTC))
    await postgres.start()
    return postgres.url, True
