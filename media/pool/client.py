"""The asking end of a worker's control channel."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from media.errors import MediaUnavailable
from media.pool.channel import Channel, ChannelClosed
from media.pool.messages import Answer, Asked, BadMessage, Call, Message, Told, read_result
from media.pool.refusals import UnknownRefusal, unpack

CALL_TIMEOUT_S: Final = 5.0
MAX_CALLS: Final = 512
"""Calls that may wait for their answers at once; more are refused right here."""

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


class WorkerFault(RuntimeError):
    """The worker has a bug; its log tells more."""


class WorkerClient:
    """Calls over one channel. `on_told` gets what the worker tells, in order."""

    def __init__(self, *, on_told: Callable[[Told], None]) -> None:
        self.channel = Channel(on_message=self._on_message)
        self.channel.closed.add_done_callback(self._on_closed)
        self._on_told = on_told
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    async def call(self, call: Call[Result], *, timeout_s: float = CALL_TIMEOUT_S) -> Result:
        """The worker's result.

        Raises the worker's MediaRefusal; MediaUnavailable where it is gone, silent for `timeout_s`
        or has too much to do; WorkerFault.
        """
        if len(self._waiting) >= MAX_CALLS:
            raise MediaUnavailable("The media worker has too much to do. Try again in a moment.")
        answer = await self._ask(call, timeout_s)
        try:
            if answer.refusal is not None:
                raise unpack(answer.refusal)
            if answer.fault is not None:
                raise WorkerFault(answer.fault)
            return read_result(call, answer.result)
        except (BadMessage, UnknownRefusal) as error:
            self.channel.close(f"bad answer: {error}")
            raise WorkerFault(str(error)) from error

    async def _ask(self, call: Call[Any], timeout_s: float) -> Answer:
        number = next(self._ids)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        try:
            self.channel.send(Asked(number, call))
            async with asyncio.timeout(timeout_s):
                return await answered
        except ChannelClosed:
            raise MediaUnavailable("The media worker has stopped. Try again in a moment.") from None
        except TimeoutError:
            raise MediaUnavailable("The media worker did not answer. Try again.") from None
        finally:
            del self._waiting[number]

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Asked):
            self.channel.close("a worker that asks")
        elif isinstance(message, Answer):
            # One that comes after its time has nobody waiting for it.
            answered = self._waiting.get(message.id)
            if answered is not None and not answered.done():
                answered.set_result(message)
        else:
            self._pass_on(message)

    def _pass_on(self, told: Told) -> None:
        try:
            self._on_told(told)
        except Exception:  # a bug of this end: no reason to give the worker up
            _logger.exception("an event was not taken", extra={"event": type(told).__name__})

    def _on_closed(self, closed: asyncio.Future[str]) -> None:
        for answered in self._waiting.values():
            if not answered.done() and not closed.cancelled():
                answered.set_exception(ChannelClosed(closed.result()))
