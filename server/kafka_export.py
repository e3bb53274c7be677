"""Export of the ledger's events to Kafka: a consumer group on the Redis stream, with its cursor.

read entries → send their records → every record acknowledged by Kafka → acknowledge in Redis

At least once: a crash anywhere leads to a repeat, which readers drop by `event_id`. In order for
each key: one node exports at a time, it sends in log order, what was not acknowledged is read again
before anything newer, and the idempotent producer lets no batch overtake another. While Kafka is
away, the entries in hand (`batch_entries`) wait, and all others stay in Redis.

A record that the broker itself refuses takes its whole Kafka batch down with it, and the numbers of
the idempotent producer. So what was in hand is sent again over a new connection, one record at a
time: what is refused then is set aside with its entry, and all the rest goes on in order.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from redis.exceptions import RedisError

from compliance.aml.intake import Entry
from config.kafka import KafkaSettings
from ledger.outbox import Backoff
from server.kafka_records import Record, records_of

log = logging.getLogger(__name__)

BLOCK_MS = 1_000
FIRST_BACKOFF_S = 0.1
CLOSE_PATIENCE_S = 2.0
MAX_REASON_CHARS = 2_000

RECORD_REFUSED = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTimestampError)
"""What is wrong with a record, or one of its batch, and stays so however often it is sent."""


class EventSource(Protocol):
    """The event stream, as the group's only consumer sees it."""

    def begin_anew(self) -> None:
        """Another node may have gone on with what was read and not finished."""

    async def read(self, *, max_entries: int, block_ms: int) -> list[Entry]:
        """Unfinished entries first, else new ones; none when nothing came in `block_ms`."""

    async def ack(self, entry_ids: Sequence[str]) -> None:
        """These are done with."""

    async def dead_letter(self, entry: Entry, reason: str) -> None:
        """Set the entry aside with the reason; it is done with, too."""


class ExportLease(Protocol):
    """Whose turn it is to export."""

    pause_s: float

    async def acquire(self) -> None:
        """Wait until it is ours."""

    async def renew(self) -> bool:
        """Whether it is ours still."""

    async def release(self) -> None:
        """Let others have it."""


class Producer(Protocol):
    """A way into Kafka."""

    async def start(self) -> None:
        """Connect. Raises KafkaError or OSError."""

    async def send(self, record: Record) -> Awaitable[object]:
        """Take the record; the answer is done when Kafka has it.

        Raises KafkaTimeoutError when there was no room for it in time.
        """

    async def close(self) -> None:
        """Give up what was not sent."""


@dataclass(slots=True)
class ExportFigures:
    """What the export of this process did; read for metrics."""

    events: int = 0
    entries: int = 0
    failures: int = 0
    dead_letters: int = 0
    exporting: bool = False
    """Whether this process has the lease and a connection to Kafka."""
    waiting: bool = False
    """Whether entries wait for Kafka for longer than `request_timeout_s`."""


class LeaseLost(Exception):
    """Another node exports now."""


class KafkaExport:
    """Exports while `run` runs."""

    def __init__(
        self,
        source: EventSource,
        lease: ExportLease,
        settings: KafkaSettings,
        producer: Callable[[], Producer],
    ) -> None:
        self.figures = ExportFigures()
        self._source = source
        self._lease = lease
        self._settings = settings
        self._producer = producer
        self._backoff = Backoff(FIRST_BACKOFF_S, settings.longest_backoff_s)
        self._suspects: dict[str, dict[int, str]] = {}
        """Entries that are sent record by record, for something in hand with them was refused: by
        id, what of each was refused by itself since, by its place in the entry, and why."""

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._lease.acquire()
            self._source.begin_anew()
            try:
                await self._connected()
            except LeaseLost:
                log.warning("another node exports to Kafka now")
                self._suspects.clear()
                continue
            except (KafkaError, OSError) as error:
                self.figures.failures += 1
                pause_s = self._backoff.pause_s()
                log.warning(
                    "events could not be exported to Kafka",
                    extra={"error": repr(error), "retry_in_s": pause_s},
                )
            finally:
                with suppress(RedisError, OSError):
                    await self._lease.release()
            await asyncio.sleep(pause_s)

    async def _connected(self) -> None:
        """Export over one connection until it fails."""
        producer = self._producer()
        try:
            await producer.start()
            self.figures.exporting = True
            while True:
                await self._step(producer)
        finally:
            self.figures.exporting = self.figures.waiting = False
            await producer.close()

    async def _step(self, producer: Producer) -> None:
        await self._hold()
        entries = await self._source.read(
            max_entries=self._settings.batch_entries, block_ms=BLOCK_MS
        )
        if self._suspects.keys().isdisjoint(entry.entry_id for entry in entries):
            await self._export(producer, entries)
            return
        for entry in entries:
            await self._export(producer, [entry])
            self._suspects.pop(entry.entry_id, None)

    async def _export(self, producer: Producer, entries: Sequence[Entry]) -> None:
        """Have Kafka take these entries, and be done with them."""
        faults: dict[str, list[str]] = {}
        answers: list[asyncio.Future[object]] = []
        for entry in entries:
            faults[entry.entry_id] = await self._send(producer, entry, answers)
        try:
            await self._answered(answers)
        except RECORD_REFUSED:
            for entry in entries:
                self._suspects.setdefault(entry.entry_id, {})
            raise
        self._backoff.reset()
        await self._source.ack([entry_id for entry_id, wrong in faults.items() if not wrong])
        for entry in entries:
            if wrong := faults[entry.entry_id]:
                await self._set_aside(entry, "; ".join(wrong))
        self.figures.entries += len(entries)
        self.figures.events += len(answers)

    async def _send(
        self, producer: Producer, entry: Entry, answers: list[asyncio.Future[object]]
    ) -> list[str]:
        """Hand over an entry's records; what of it can't ever be exported, and why."""
        records, faults = records_of(entry.payload)
        refused = self._suspects.get(entry.entry_id)
        for place, record in enumerate(records):
            if refused is not None and place in refused:
                faults.append(refused[place])
                continue
            try:
                answer = asyncio.ensure_future(await self._sent(producer, record))
            except MessageSizeTooLargeError as error:
                faults.append(_fault(record, error))
                continue
            answers.append(answer)
            if refused is not None:
                try:
                    await self._answered([answer])
                except RECORD_REFUSED as error:
                    refused[place] = _fault(record, error)
                    raise
        return faults

    async def _sent(self, producer: Producer, record: Record) -> Awaitable[object]:
        while True:
            try:
                return await producer.send(record)
            except KafkaTimeoutError:  # the producer's buffer is full: Kafka is slow, or away
                self.figures.waiting = True
                await self._hold()

    async def _answered(self, answers: Sequence[asyncio.Future[object]]) -> None:
        """Return when Kafka has all of it. Raises the first failure, or LeaseLost."""
        loop = asyncio.get_running_loop()
        late_at = loop.time() + self._settings.request_timeout_s
        open_answers = set(answers)
        while open_answers:
            await self._hold()
            done, open_answers = await asyncio.wait(
                open_answers, timeout=self._lease.pause_s, return_when=asyncio.FIRST_EXCEPTION
            )
            errors = [error for answer in done if (error := answer.exception()) is not None]
            if errors:  # behind a refused batch others fail, too: what was refused counts
                raise min(errors, key=lambda error: not isinstance(error, RECORD_REFUSED))
            self.figures.waiting = bool(open_answers) and loop.time() > late_at
        self.figures.waiting = False

    async def _hold(self) -> None:
        if not await self._lease.renew():
            raise LeaseLost

    async def _set_aside(self, entry: Entry, reason: str) -> None:
        await self._source.dead_letter(entry, reason[:MAX_REASON_CHARS])
        self.figures.dead_letters += 1
        log.error(
            "entry of the event stream set aside",
            extra={"entry_id": entry.entry_id, "reason": reason[:MAX_REASON_CHARS]},
        )


def _fault(record: Record, error: Exception) -> str:
    return f"{record.headers[0][1].decode()}: {error}"


class KafkaProducer:
    """aiokafka's idempotent producer: acks=all, and retries that neither repeat nor reorder."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._topic = settings.topic
        options: dict[str, Any] = {}
        if settings.security_protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=settings.ca_file)
        if settings.password is not None:
            options["sasl_plain_password"] = settings.password.get_secret_value()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            client_id="sociallive",
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            request_timeout_ms=round(settings.request_timeout_s * 1000),
            security_protocol=settings.security_protocol,
            sasl_mechanism=settings.sasl_mechanism,
            sasl_plain_username=settings.username,
            **options,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def send(self, record: Record) -> Awaitable[object]:
        answer: Awaitable[object] = await self._producer.send(
            self._topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            timestamp_ms=record.timestamp_ms,
        )
        return answer

    async def close(self) -> None:
        """Give up what was not sent, which is read again from the stream."""
        # stop() has what is left sent first, for as long as that takes, unless there is no sender.
        sender, self._producer._sender = self._producer._sender, None
        if sender.sender_task is not None:
            await sender.close()
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE_S):
                await self._producer.stop()
