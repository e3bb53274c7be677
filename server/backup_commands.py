"""`sociallive backup` and `sociallive restore`."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from config.settings import Settings
from config.stores import StoreSettings
from server.backup.make import copy_keys, make_backup
from server.backup.restore import restore_backup
from server.backup.tools import Tools
from server.commands import refusals
from server.embedded.folder import DataFolder, DataFolderBusy, default_data_dir
from server.embedded.postgres import running_owner_url
from server.stores import database_urls, redis_address


async def backup(settings: Settings, arguments: argparse.Namespace) -> None:
    """Write a backup, beside a running server or without one."""
    target, keys = arguments.target.absolute(), arguments.keys
    with refusals():
        tools = Tools(settings.stores.postgres_tools)
        async with AsyncExitStack() as stack:
            folder = DataFolder(settings.stores.data_dir or default_data_dir())
            stack.callback(folder.release)
            url = await _owner_url(settings.stores, folder, stack)
            if keys is not None:
                copy_keys(folder.path, keys.absolute())
            manifest = await make_backup(url, target, tools)
    print(
        f"{target}: {manifest.ledger_transactions} transactions up to batch "
        f"{manifest.ledger_sequence}."
    )
    if keys is None:
        print("Signing keys are not in it; --keys FOLDER copies them, to be kept apart.")


async def restore(settings: Settings, arguments: argparse.Namespace) -> None:
    """Restore a backup into the database, while no server runs on it."""
    with refusals():
        tools = Tools(settings.stores.postgres_tools)
        async with _stores(settings.stores) as (url, redis):
            manifest = await restore_backup(
                url, redis, arguments.backup.absolute(), tools, force=arguments.force
            )
    print(
        f"Restored what was backed up at {manifest.made_at}: {manifest.ledger_transactions} "
        f"transactions up to batch {manifest.ledger_sequence}; the ledger adds up."
    )


def backup_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Redis is not backed up: it holds no money, see docs/OPERATIONS.md."
    parser.add_argument("target", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--keys", type=Path, help="also copy the signing keys to this new folder")


def restore_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, help="the folder that `backup` wrote")
    parser.add_argument(
        "--force", action="store_true", help="replace what the database holds, all of it"
    )


async def _owner_url(settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack) -> str:
    """Of the database, which may be the embedded one of a server that runs."""
    if settings.database_url is None:
        try:
            await folder.acquire(patience_s=0)
        except DataFolderBusy:
            return running_owner_url(folder)
    return (await database_urls(settings, folder, stack)).owner


@asynccontextmanager
async def _stores(settings: StoreSettings) -> AsyncIterator[tuple[str, Redis]]:
    async with AsyncExitStack() as stack:
        folder = DataFolder(settings.data_dir or default_data_dir())
        stack.callback(folder.release)
        if settings.database_url is None or settings.redis_url is None:
            await folder.acquire()
        urls = await database_urls(settings, folder, stack)
        redis = Redis.from_url(await redis_address(settings, folder, stack), socket_timeout=10)
        stack.push_async_callback(redis.aclose)
        await redis.ping()
        yield urls.owner, redis
