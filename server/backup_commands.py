"""`sociallive backup` and `sociallive restore`."""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from redis.asyncio import Redis

from config.settings import Settings
from config.stores import StoreSettings
from server.backup.cluster_copy import make_base_backup
from server.backup.make import BackupRefused, copy_keys, make_backup, refuse_existing
from server.backup.point_in_time import check_recovery, finish, recover
from server.backup.restore import forget_the_future, restore_backup
from server.backup.tools import Tools
from server.commands import refusals
from server.embedded.account import store_account
from server.embedded.archive import archiving
from server.embedded.folder import DataFolder, DataFolderBusy, default_data_dir
from server.embedded.postgres import EmbeddedPostgres, running_owner_url
from server.embedded.timelines import note_run
from server.stores import database_urls, redis_address


async def backup(settings: Settings, arguments: argparse.Namespace) -> None:
    """Write a backup, beside a running server or without one."""
    target, keys = arguments.target.absolute(), arguments.keys
    keys = None if keys is None else keys.absolute()
    with refusals():
        make = _base_backup if arguments.base else _dump
        async with AsyncExitStack() as stack:
            folder = DataFolder(settings.stores.data_dir or default_data_dir())
            stack.callback(folder.release)
            _refuse_targets(target, keys)
            print(f"{target}: {await make(settings.stores, folder, stack, target)}")
            if keys is not None:  # last: a backup that fails leaves no private keys behind
                copy_keys(folder.path, keys)
    if keys is None:
        print("Signing keys are not in it; --keys FOLDER copies them, to be kept apart.")


def _refuse_targets(target: Path, keys: Path | None) -> None:
    """What can be refused before anything is written is. Raises BackupRefused."""
    refuse_existing(target)
    if keys is not None:
        refuse_existing(keys)
        if keys == target or keys in target.parents or target in keys.parents:
            raise BackupRefused(
                f"Keep the keys apart from the backup: {keys} and {target} are not."
            )


async def _dump(
    settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack, target: Path
) -> str:
    tools = Tools(settings.postgres_tools)
    manifest = await make_backup(await _owner_url(settings, folder, stack), target, tools)
    return f"{manifest.ledger_transactions} transactions up to batch {manifest.ledger_sequence}."


async def _base_backup(
    settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack, target: Path
) -> str:
    """Of the embedded PostgreSQL, which may be that of a server that runs."""
    if settings.database_url is not None:
        raise BackupRefused("The database is an external one: use pg_basebackup or pgBackRest.")
    tools, account = Tools(settings.postgres_tools), store_account()
    postgres = EmbeddedPostgres(folder, account, archiving(settings, account))
    try:
        await folder.acquire(patience_s=0)
    except DataFolderBusy:
        if not await postgres.attach():
            raise
    else:
        stack.push_async_callback(postgres.stop)
        note_run(settings, postgres.cluster, datetime.now(UTC))
        await postgres.start()
    complete_at = await make_base_backup(postgres.admin_url, target, tools)
    return f"leads to every moment from {complete_at} on, as far as it is archived."


async def restore(settings: Settings, arguments: argparse.Namespace) -> None:
    """Restore a backup into the database, while no server runs on it."""
    if arguments.at is not None:
        await _restore_point_in_time(settings, arguments.backup.absolute(), arguments.at)
        return
    with refusals():
        tools = Tools(settings.stores.postgres_tools)
        async with _stores(settings.stores) as (url, redis):
            manifest = await restore_backup(
                url,
                redis,
                arguments.backup.absolute(),
                tools,
                force=arguments.force,
                evidence=settings.ledger.evidence,
            )
    print(
        f"Restored what was backed up at {manifest.made_at}: {manifest.ledger_transactions} "
        f"transactions up to batch {manifest.ledger_sequence}; the ledger adds up."
    )


async def _restore_point_in_time(settings: Settings, base: Path, at: datetime) -> None:
    stores = settings.stores
    with refusals():
        check_recovery(stores, at, datetime.now(UTC))
        async with AsyncExitStack() as stack:
            folder = DataFolder(stores.data_dir or default_data_dir())
            stack.callback(folder.release)
            await folder.acquire()
            redis = Redis.from_url(await redis_address(stores, folder, stack), socket_timeout=10)
            stack.push_async_callback(redis.aclose)
            await redis.ping()
            recovered = await recover(folder, store_account(), settings, base, at)
            await forget_the_future(redis)
            finish(folder)
    figures = recovered.figures
    print(
        f"Restored what was committed at {at.isoformat()}: {figures.transactions} transactions "
        f"up to batch {figures.sequence}; the ledger adds up."
    )
    if recovered.before is not None:
        print(f"What was there before is in {recovered.before}. Remove it when all is well.")


def backup_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Redis is not backed up: it holds no money, see docs/OPERATIONS.md."
    parser.add_argument("target", type=Path, help="a folder that does not exist yet")
    parser.add_argument(
        "--base",
        action="store_true",
        help="the files of the embedded PostgreSQL, for `restore --at`",
    )
    parser.add_argument("--keys", type=Path, help="also copy the signing keys to this new folder")


def restore_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, help="the folder that `backup` wrote")
    parser.add_argument(
        "--force", action="store_true", help="replace what the database holds, all of it"
    )
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="TIME",
        help="with a folder of `backup --base`: what was committed then, 2026-01-31T12:00Z",
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("name the zone too: 2026-01-31T12:00Z")
    return at


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
