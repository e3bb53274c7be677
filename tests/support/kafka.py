"""A Kafka broker for tests: the wheel `noida-db` on a loopback port, its data in a folder."""

import asyncio
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import noida_db
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from server.embedded.child import free_port
from tests.support.fault_proxy import FaultProxy

BINARY = Path(noida_db.__file__).parent / "noida-db"
READY = b"Ctrl-C"
HOST = "127.0.0.1"
STOP_PATIENCE_S = 10
READ_PATIENCE_S = 30
PRODUCE = b"\0\0"


class Broker:
    """One broker. What it answers before it is asked to stop is there when it is started again.

    What it answers after that may not be: it goes on for a moment when it has saved. Killed, it
    loses up to a second. Tests of what happens to records on their way break the way instead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self._port}"

    def way(self) -> FaultProxy:
        """A proxy before it, which it names as its own address to the proxy's clients."""
        address, listening = HOST.encode(), self._port.to_bytes(4)

        def readdressed(answer: bytes) -> bytes:
            return answer.replace(address + listening, address + proxy.port.to_bytes(4))

        proxy = FaultProxy(lambda: (HOST, self._port), _is_produce_request, readdressed)
        return proxy

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

    async def lose_everything(self) -> None:
        """Start again with nothing."""
        await self.stop(signal.SIGKILL)
        shutil.rmtree(self._folder)
        await self.start()

    async def create_topic(self, name: str, partitions: int) -> None:
        """A topic that keeps its records, however long ago their timestamps are."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        configs = {"retention.ms": "-1"}
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
        await admin.close()

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """All that the topic was ever given, in order within each partition.

        Raises OffsetOutOfRangeError when the broker deleted some of it.
        """
        reader = AIOKafkaConsumer(topic, bootstrap_servers=self.bootstrap, auto_offset_reset="none")
        await reader.start()
        try:
            ends = await reader.end_offsets(list(reader.assignment()))
            for partition in ends:
                reader.seek(partition, 0)
            found: list[ConsumerRecord] = []
            async with asyncio.timeout(READ_PATIENCE_S):
                for partition, end in ends.items():
                    while await reader.position(partition) < end:
                        batches = await reader.getmany(timeout_ms=1_000)
                        for batch in batches.values():
                            found += batch
            return found
        finally:
            await reader.stop()


def _is_produce_request(data: bytes) -> bool:
    return data[4:6] == PRODUCE  # after the length
