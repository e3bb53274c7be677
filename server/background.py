"""Background tasks that must not die quietly: each is restarted after a fault, and said so."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 10.0
CANCEL_AGAIN_S = 1.0


@asynccontextmanager
async def background(name: str, run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Keep `run` going while the block runs; a fault is logged and `run` is called again."""
    task = asyncio.create_task(_keep_running(name, run), name=name)
    try:
        yield
    finally:
        # Again and again: asyncio.TaskGroup of Python 3.11 loses a cancellation that meets a fault.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    delay_s = FIRST_DELAY_S
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await run()
        except Exception:
            if loop.time() - started > LONGEST_DELAY_S:
                delay_s = FIRST_DELAY_S
            log.exception("background task failed", extra={"task": name, "restart_in_s": delay_s})
        else:
            return
        await asyncio.sleep(delay_s)
        delay_s = min(delay_s * 2, LONGEST_DELAY_S)
