"""`sociallive ledger verify` and `sociallive ledger checkpoints …`.

LedgerUnsound
    The verification found something; what it found was printed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from config.settings import Settings
from ledger.evidence.checkpoints import (
    Checkpoint,
    MalformedCheckpoints,
    export,
    key_id_of,
    read_export,
)
from ledger.evidence.key_ring import KeyRing, KeyRingError, add_key, read_public
from ledger.evidence.verify import Progress, Report, Verifier
from ledger.evidence.windows import Range
from ledger.store.evidence import EvidenceStore
from server.catch_up import chain_what_waits
from server.commands import StartRefused, refusals
from server.embedded.folder import default_data_dir
from server.ledger_access import CHECKPOINT_KEYS, LedgerAccess, open_ledger
from server.migrations import applied_migrations, migrations

PROGRESS_S = 1.0


class LedgerUnsound(Exception):
    """The ledger is not what it must be."""


def verify_options(parser: argparse.ArgumentParser) -> None:
    """Options of `ledger verify`."""
    parser.description = (
        "Replays the ledger and checks its hash chain. Findings go to standard output, progress to"
        " standard error. Exits with 0 when everything is sound, with 3 when something is not."
    )
    parser.add_argument("--from", dest="first", type=int, help="first batch (its sequence)")
    parser.add_argument("--to", dest="last", type=int, help="last batch")
    parser.add_argument(
        "--checkpoints", type=Path, help="a file that `ledger checkpoints export` wrote"
    )
    parser.add_argument(
        "--public-key",
        type=Path,
        action="append",
        default=[],
        help="a PEM file of a key to trust beside those of the data folder; may be repeated",
    )
    parser.add_argument(
        "--grace-s",
        dest="grace",
        type=_seconds,
        default=timedelta(seconds=10),
        help="how long a batch may wait to be chained",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")


async def verify(settings: Settings, arguments: argparse.Namespace) -> None:
    """Verify the ledger. Raises LedgerUnsound or StartRefused."""
    with _explained():
        outside, evidence = _read_checkpoints(arguments.checkpoints), settings.ledger.evidence
        async with open_ledger(settings.stores) as access:
            ring = await asyncio.to_thread(KeyRing.read, access.keys)
            trusted = [await asyncio.to_thread(read_public, path) for path in arguments.public_key]
            now = await _moment_of(access.pool)
            if access.alone and (links := await chain_what_waits(access.pool, evidence)):
                print(f"chained first, for no server runs that would: {links} links")
            verifier = Verifier(
                EvidenceStore(access.pool),
                keys=ring.trusted | {key_id_of(key): key for key in trusted},
                now=now,
                checkpoints=outside,
                grace=arguments.grace,
                progress=(lambda _: None) if arguments.quiet else ProgressLine(),
            )
            started = time.perf_counter()
            report = await verifier.verify(Range(arguments.first, arguments.last))
    _say(report, time.perf_counter() - started)
    if not report.sound:
        raise LedgerUnsound(
            f"The ledger is not sound. Findings: {len(report.findings)}; the first is the first bad"
            " row. Keep a copy of the database before anything else is done."
        )


async def _moment_of(pool: asyncpg.Pool) -> datetime:
    """Now by the database's clock, which its batches have. Raises StartRefused where its tables are
    of another version: some of what is verified is not there, which would show at the end.
    """
    async with pool.acquire() as connection:
        if {*await applied_migrations(connection)} != {each.key for each in migrations()}:
            raise StartRefused(
                "The database is of another version. Start this version once, or run `sociallive"
                " migrate`; or verify it with the version that it is of."
            )
        now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now


def _seconds(text: str) -> timedelta:
    try:
        return timedelta(seconds=float(text))
    except OverflowError as error:
        raise ValueError(text) from error


def export_options(parser: argparse.ArgumentParser) -> None:
    """Options of `ledger checkpoints export`."""
    parser.description = "Writes every signed checkpoint, and the public keys, as JSON."
    parser.add_argument("--output", type=Path, help="a file; standard output where there is none")


async def export_checkpoints(settings: Settings, arguments: argparse.Namespace) -> None:
    """Export every checkpoint. Raises StartRefused."""
    with _explained():
        async with open_ledger(settings.stores) as access:
            content = await exported(access)
        if arguments.output is None:
            sys.stdout.write(content.decode())
        else:
            await asyncio.to_thread(arguments.output.write_bytes, content)


async def exported(access: LedgerAccess) -> bytes:
    """The file of all checkpoints, oldest first."""
    ring = await asyncio.to_thread(KeyRing.read, access.keys)
    checkpoints = await EvidenceStore(access.pool).checkpoints()
    return export(reversed(checkpoints), ring.trusted)


async def rotate_key(settings: Settings, _: argparse.Namespace) -> None:
    """Add a key, which signs from the next checkpoint on."""
    folder = (settings.stores.data_dir or default_data_dir()).absolute() / CHECKPOINT_KEYS
    key_id = await asyncio.to_thread(add_key, folder, now=datetime.now(UTC))
    print(f"{key_id} signs from now on. The keys before it stay: they verify what they signed.")


class ProgressLine:
    """Tells how far a verification is, about once a second, on standard error."""

    def __init__(self) -> None:
        self._started = self._told = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done == progress.total
        if now - self._told < PROGRESS_S and not (finished and progress.step == "replay"):
            return
        self._told = now
        share = f"{progress.done / progress.total:.0%}" if progress.total else "100%"
        rate = progress.done / max(now - self._started, 1e-9)
        print(
            f"{progress.step}: {progress.done:,} of {progress.total:,} rows, {share},"
            f" {rate:,.0f} rows/s",
            file=sys.stderr,
            flush=True,
        )


def _say(report: Report, seconds: float) -> None:
    for finding in report.findings:
        print(finding)
    rate = report.entries / max(seconds, 1e-9)
    print(
        f"{report.batches:,} batches, {report.transactions:,} transactions,"
        f" {report.entries:,} entries in {seconds:.1f} s ({rate:,.0f} entries/s)"
    )
    print(f"chain: {report.position} links, head {report.head.hex()}")
    if report.unchained:
        print(f"{report.unchained} batches were just posted and are not chained yet")
    if report.sound:
        print("sound")


def _read_checkpoints(path: Path | None) -> tuple[Checkpoint, ...]:
    return () if path is None else read_export(path.read_bytes())[0]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        with refusals():
            yield
    except (KeyRingError, MalformedCheckpoints) as error:
        raise StartRefused(str(error)) from error
