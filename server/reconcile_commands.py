"""`sociallive ledger reconcile`.

DifferencesFound
    The run found something; what it found is on the work list, and the open ones were printed.

Over embedded stores it runs while the server is stopped; while it runs, the admin API has the same.
"""

import argparse
from pathlib import Path

from config.settings import Settings
from ledger.reconcile.runs import Reconciliation
from ledger.reconcile.worklist import Difference, DifferenceState
from server.app import build_reconciler
from server.commands import refusals
from server.stores import open_stores

MOST_SHOWN = 100


class DifferencesFound(Exception):
    """Both sides are not the same."""


def reconcile_options(parser: argparse.ArgumentParser) -> None:
    """Options of `ledger reconcile`."""
    parser.description = (
        "Compares the ledger with itself, its purchases and the event stream; with --provider, a"
        " settlement file with what the ledger has. Differences go to the work list. Exits with 0"
        " when there are none, with 3 when there are."
    )
    parser.add_argument(
        "--provider",
        nargs=2,
        metavar=("NAME", "FILE"),
        help="a payment provider of ledger.reconcile.providers, and its settlement file",
    )


async def reconcile(settings: Settings, arguments: argparse.Namespace) -> None:
    """Reconcile once. Raises DifferencesFound, StartRefused or LedgerRefusal."""
    with refusals():
        async with open_stores(settings.stores) as stores:
            reconciler = build_reconciler(settings, stores)
            if arguments.provider is None:
                run = await reconciler.internal()
            else:
                provider, path = arguments.provider
                run = await reconciler.settlement_file(provider, Path(path))
            listed = await reconciler.differences(DifferenceState.OPEN, None, MOST_SHOWN)
    _say(run, listed)
    if run.differences:
        raise DifferencesFound(
            f"Differences found: {run.differences}. The admin API has them:"
            " /api/admin/differences?state=open."
        )


def _say(run: Reconciliation, listed: list[Difference]) -> None:
    for each in listed:
        print(f"{each.difference_id} {each.check_name}, {each.subject}: {each.reason}")
    print(
        f"{run.reconciliation_id}: {run.kind} {run.source},"
        f" {run.checked:,} checked, {run.matched:,} matched, {run.differences:,} differences"
    )
