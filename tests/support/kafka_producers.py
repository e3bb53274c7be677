"""Producers for tests of the export to Kafka: they answer as they are told."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
)

from server.kafka_records import Record


def number_of(record: Record) -> int:
    return UUID(record.headers[0][1].decode()).int


class Answers:
    """A producer that answers as it is told."""

    def __init__(self, *script: Exception | None, start: Exception | None = None) -> None:
        self.script = list(script)
        self.start_error = start
        self.sent: list[Record] = []
        self.closed = 0

    def __call__(self) -> "Answers":
        return self

    async def start(self) -> None:
        error, self.start_error = self.start_error, None
        if error is not None:
            raise error

    async def send(self, record: Record) -> Awaitable[object]:
        answer = asyncio.get_running_loop().create_future()
        error = self.script.pop(0) if self.script else None
        if isinstance(error, KafkaTimeoutError | MessageSizeTooLargeError):
            raise error
        if error is None:
            self.sent.append(record)
            answer.set_result(None)
        else:
            answer.set_exception(error)
        return answer

    async def close(self) -> None:
        self.closed += 1


class Refusing(Answers):
    """A broker that refuses records of these numbers, and all that came in one batch with them."""

    def __init__(self, error: type[Exception], *numbers: int) -> None:
        super().__init__()
        self.error, self.numbers = error, numbers
        self.batch: list[tuple[Record, asyncio.Future[object]]] = []
        self.is_broken = False

    async def start(self) -> None:
        self.is_broken = False

    async def send(self, record: Record) -> Awaitable[object]:
        loop = asyncio.get_running_loop()
        if not self.batch:
            loop.call_soon(self.take)
        self.batch.append((record, loop.create_future()))
        return self.batch[-1][1]

    def take(self) -> None:
        batch, self.batch = self.batch, []
        refused = any(number_of(record) in self.numbers for record, _ in batch)
        for record, answer in batch:
            if self.is_broken or refused:
                answer.set_exception(OutOfOrderSequenceNumber() if self.is_broken else self.error())
            else:
                self.sent.append(record)
                answer.set_result(None)
        self.is_broken |= refused
