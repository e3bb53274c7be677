"""What every reader and writer of the stream shares: its names, and patience with Redis."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from redis import exceptions

log = logging.getLogger(__name__)

STREAM_KEY = "sociallive:ledger:events"
FIELD = b"events"
"""The field of an entry that holds its batch."""
SEQUENCE_FIELD = b"sequence"
"""Where the batch stands in the ledger's log."""
AFTER_FIELD = b"after"
"""The sequence of the batch that was published before it: what is missing in between shows."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0

AWAY = (
    OSError,
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
)
"""Redis can't be reached, is still loading, or fails over: it passes."""

T = TypeVar("T")


async def outlast(command: Callable[[], Awaitable[T]]) -> T:
    """The answer to `command`, tried until Redis is back, with growing random pauses.

    Ends a cancelled task even where redis-py does not; so it is nothing for cleaning up after one.
    """
    longest_s = FIRST_PAUSE_S
    while True:
        try:
            answer = await command()
        except AWAY as error:
            _let_cancelled()
            pause_s = random.uniform(longest_s / 2, longest_s)  # noqa: S311 - spreads reconnects
            log.warning("Redis is away", extra={"error": repr(error), "retry_in_s": pause_s})
        else:
            _let_cancelled()
            return answer
        await asyncio.sleep(pause_s)
        longest_s = min(longest_s * 2, LONGEST_PAUSE_S)


def _let_cancelled() -> None:
    """Raise CancelledError where the task was cancelled, and the command has made away with it.

    redis-py sends under `asyncio.wait_for`, which before Python 3.12 drops a cancellation that
    comes as the sending ends (CPython issue 86296); and a read that is cancelled may end with the
    error of the connection that was closed for it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def batches(answer: Any) -> list[tuple[str, bytes]]:
    """Ids and batches of one stream's entries, as XRANGE and its kin answer them."""
    return [(entry_id.decode(), fields.get(FIELD, b"")) for entry_id, fields in answer]


def place_of(fields: Mapping[bytes, bytes]) -> tuple[int | None, int | None]:
    """`after` and `sequence` of an entry; None each where a writer did not say."""
    after, sequence = fields.get(AFTER_FIELD), fields.get(SEQUENCE_FIELD)
    return (
        int(after) if after is not None and after.isdigit() else None,
        int(sequence) if sequence is not None and sequence.isdigit() else None,
    )


def place(entry_id: str) -> tuple[int, ...]:
    """An entry's id, to compare by."""
    return tuple(int(part) for part in entry_id.split("-"))
