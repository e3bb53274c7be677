"""A Kafka broker for tests: the wheel `noida-db` on a loopback port, its data in a folder."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import noida_db
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from server.embedded.child import free_port

BINARY = Path(noida_db.__file__).parent / "noida-db"
READY = b"Ctrl-C"
STOP_PATIENCE_S = 10

MAX_SILENCES = 5


class Broker:
    """One broker. It keeps its records when it is asked to stop; killed, it may lose the latest,
    acknowledged or not, for it writes them to disk a moment later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Return when it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *(BINARY, "start", "--only", "kafka"),
            *("--kafka-port", str(self._port), "--data-dir", self._folder),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while READY not in (line := await self._process.stdout.readline()):
                assert line, "the broker ended at start"

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        for signal_ in (how, signal.SIGKILL):  # it may wait for connections that stay open
            if self._process is None or self._process.returncode is not None:
                return
            self._process.send_signal(signal_)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_PATIENCE_S):
                    await self._process.wait()

    async def create_topic(self, name: str, partitions: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(name, partitions, replication_factor=1)])
        await admin.close()

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """All that the topic holds now, in order within each partition."""
        reader = AIOKafkaConsumer(
            topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await reader.start()
        try:
            ends = await reader.end_offsets(list(reader.assignment()))
            await reader.seek_to_beginning()
            found: list[ConsumerRecord] = []
            silences = 0  # offsets may have holes: after a while of nothing there is no more
            while len(found) < sum(ends.values()) and silences < MAX_SILENCES:
                batches = await reader.getmany(timeout_ms=1_000)
                silences = 0 if batches else silences + 1
                for batch in batches.values():
                    found += batch
            return found
        finally:
            await reader.stop()
