"""`sociallive events …`: the consumers of the event stream, looked after from a terminal.

Over embedded stores these run while the server is stopped; while it runs, the admin API has the
same.
"""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from config.settings import Settings
from server.app import replay_store
from server.commands import refusals
from server.consumers import CONSUMERS, EventConsumers
from server.stores import open_stores

ALL = "all"
MAX_SHOWN_CHARS = 160


async def show_consumers(settings: Settings, _: argparse.Namespace) -> None:
    """Print how each consumer stands."""
    async with _consumers(settings) as consumers:
        for state in await consumers.states():
            finished = "never ran" if state.finished is None else f"finished to {state.finished}"
            print(
                f"{state.consumer}: {finished} of {state.published} published, "
                f"{state.dead_letters} dead letters"
            )
            for replay in state.replays:
                if replay.finished_at is None:
                    print(f"  replay to {replay.until}, now at {replay.position}: {replay.reason}")


async def replay(settings: Settings, arguments: argparse.Namespace) -> None:
    """Have a part of the ledger's log handed to a consumer again."""
    async with _consumers(settings) as consumers:
        after = await consumers.place(arguments.begin)
        made = await consumers.replay(
            arguments.consumer, after=after, until=arguments.until, reason=arguments.reason
        )
    print(f"{made.consumer} is handed the log behind {made.position} up to {made.until} again.")


async def show_dead_letters(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print what a consumer could not handle."""
    async with _consumers(settings) as consumers:
        letters = await consumers.all_letters(arguments.consumer)
    for letter in letters:
        print(f"{letter.letter_id} {letter.set_aside_at:%Y-%m-%d %H:%M:%S} {letter.reason}")
        print(f"  {letter.payload[:MAX_SHOWN_CHARS].decode('utf-8', 'replace')}")
    print(f"{len(letters)} dead letters")


async def retry(settings: Settings, arguments: argparse.Namespace) -> None:
    """Have dead letters handled again."""
    async with _consumers(settings) as consumers:
        letter_ids = await _chosen(consumers, arguments)
        for letter_id in letter_ids:
            await consumers.send_back(arguments.consumer, letter_id)
    print(f"{len(letter_ids)} dead letters were sent back to {arguments.consumer}.")


async def discard(settings: Settings, arguments: argparse.Namespace) -> None:
    """Forget dead letters."""
    async with _consumers(settings) as consumers:
        letter_ids = await _chosen(consumers, arguments)
        for letter_id in letter_ids:
            await consumers.discard(arguments.consumer, letter_id)
    print(f"{len(letter_ids)} dead letters of {arguments.consumer} were discarded.")


def consumer_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--consumer", required=True, choices=CONSUMERS)


def replay_options(parser: argparse.ArgumentParser) -> None:
    consumer_options(parser)
    parser.description = (
        "Consumers drop what they have seen, as long as they remember it; the AML checks remember "
        "for aml.retention_s, and set aside what is older."
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=_begin,
        required=True,
        metavar="SEQUENCE|TIME",
        help="begin behind this sequence of the log, or at this time (RFC 3339)",
    )
    parser.add_argument("--until", type=int, help="the last sequence; all that is published")
    parser.add_argument("--reason", default="asked for by command")


def letter_options(parser: argparse.ArgumentParser) -> None:
    consumer_options(parser)
    parser.add_argument("letter", nargs="+", help=f"ids as `dead-letters` shows them, or `{ALL}`")


def _begin(text: str) -> int | datetime:
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("no sequence and no time (RFC 3339)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _chosen(consumers: EventConsumers, arguments: argparse.Namespace) -> list[str]:
    if arguments.letter == [ALL]:
        return [each.letter_id for each in await consumers.all_letters(arguments.consumer)]
    return list(arguments.letter)


@asynccontextmanager
async def _consumers(settings: Settings) -> AsyncIterator[EventConsumers]:
    with refusals():
        async with open_stores(settings.stores) as stores:
            yield EventConsumers(replay_store(settings, stores), stores.redis)
