"""What the subcommands do, once the settings are read.

StartRefused
    The server can't start; the message says why and what to do.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator

import asyncpg
from redis.exceptions import RedisError

from config.settings import Settings
from config.telemetry import TelemetrySettings
from identity.roles import Role
from identity.users import User
from media.errors import NoNativePlane
from media.pool.child import WorkerFailed
from media.prompt import promptly
from server.app import build_identity, running
from server.backup.make import BackupRefused
from server.backup.manifest import BackupDamaged
from server.backup.restore import RestoredWrongly, RestoreRefused
from server.backup.tools import ToolFailed
from server.demo.run import demo_contents
from server.embedded.child import ChildFailed
from server.embedded.folder import DataFolderBusy
from server.embedded.postgres import PostgresMissing
from server.embedded.redis import RedisMissing
from server.garbage import seldom_collected
from server.logs import configure_logging
from server.migrations import Migration, MigrationError
from server.stores import open_stores

EXPLAINED = (
    BackupDamaged,
    BackupRefused,
    ChildFailed,
    DataFolderBusy,
    MigrationError,
    NoNativePlane,
    PostgresMissing,
    RedisMissing,
    RestoreRefused,
    RestoredWrongly,
    ToolFailed,
    WorkerFailed,
)


class StartRefused(Exception):
    """The server can't start."""


async def up(settings: Settings) -> None:
    """Run the server until SIGINT or SIGTERM. Raises StartRefused."""
    configure_logging(settings.telemetry)
    with refusals(), _place(settings), seldom_collected():
        async with _until_signalled() as stopped, running(settings):
            await stopped.wait()


async def demo(settings: Settings, *, with_channel: bool) -> None:
    """Run the server with ready accounts, and a live channel if wanted. Raises StartRefused."""
    settings = settings.model_copy(update={"telemetry": _quiet(settings.telemetry)})
    configure_logging(settings.telemetry)
    with refusals(), _place(settings), seldom_collected():
        async with (
            _until_signalled() as stopped,
            running(settings) as app,
            demo_contents(app, with_channel=with_channel),
        ):
            await stopped.wait()


async def migrate_database(settings: Settings) -> tuple[Migration, ...]:
    """Bring the database to this version; what was applied. Raises StartRefused."""
    with refusals():
        async with open_stores(settings.stores) as stores:
            return stores.migrated


async def add_user(
    settings: Settings, *, email: str, password: str, display_name: str, roles: frozenset[Role]
) -> User:
    """Make an account, viewer where no role is named. Raises StartRefused or IdentityError."""
    with refusals():
        async with open_stores(settings.stores) as stores:
            return await build_identity(settings, stores).create_user(
                email=email,
                password=password,
                display_name=display_name,
                roles=roles or frozenset({Role.VIEWER}),
            )


def _place(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """A media worker's loop goes before others; where it has no worker, the loop is one of them."""
    return promptly() if settings.media.workers == 1 else contextlib.nullcontext()


def _quiet(telemetry: TelemetrySettings) -> TelemetrySettings:
    """Plain lines for a person, warnings and up, wherever the settings don't say otherwise."""
    chosen = {name: getattr(telemetry, name) for name in telemetry.model_fields_set}
    return TelemetrySettings(**{"log_level": "warning", "log_format": "text"} | chosen)


@contextlib.asynccontextmanager
async def _until_signalled() -> AsyncIterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set; a second signal ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop)
    yield stopped


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What a command can't do, and may say why, becomes StartRefused."""
    try:
        yield
    except EXPLAINED as error:
        raise StartRefused(str(error)) from error
    except (asyncpg.PostgresError, RedisError) as error:
        raise StartRefused(f"A store refused the connection: {error}") from error
    except OSError as error:
        raise StartRefused(_explain(error)) from error


def _explain(error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{error}\nThe server can't start: {reason}."
