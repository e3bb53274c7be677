"""Every figure of the bench, in rounds that alternate."""

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Self

import asyncpg

from bench.ledger.commits import commits_ms
from bench.ledger.load import Bench, People, Round
from bench.ledger.server import CLIENTS, Server, durable_server, pgbench, tpc_b
from bench.ledger.stream import stream_rounds
from bench.ledger.volume import fill
from bench.report import Figure
from server.database import create_pool

CONNECTIONS = 32
"""For one call a gift."""


@dataclass(frozen=True)
class Plan:
    """How long and how much."""

    rounds: int
    round_s: int
    scale: int
    payers: int
    streamers: int
    entries: int

    def with_entries(self, entries: int) -> Self:
        """The same with another size of the full ledger."""
        return replace(self, entries=entries)


FULL = Plan(rounds=5, round_s=3, scale=32, payers=10_000, streamers=10_000, entries=5_000_000)
QUICK = Plan(rounds=2, round_s=2, scale=32, payers=1_000, streamers=1_000, entries=300_000)

Load = Callable[[], Awaitable[Round]]


async def measure(plan: Plan) -> list[Figure]:
    """All of the table of the ledger's issue but what other commands measure."""
    async with durable_server() as server, AsyncExitStack() as stack:
        pool = await create_pool(server.postgres.url, size=CONNECTIONS + 8)
        stack.callback(pool.terminate)
        bench = Bench(pool)
        stack.push_async_callback(bench.ledger.close)
        people = People.of(plan.payers, plan.streamers)
        hot = people.towards(10)
        await bench.fund(people)
        await pgbench(server, "-iq", f"-s{plan.scale}")

        def through(whom: People, in_flight: int) -> Load:
            return lambda: bench.through_service(whom, in_flight, plan.round_s)

        loads: dict[str, Load] = {
            "32": through(people, 32),
            "256": through(people, 256),
            "2000": through(people, 2000),
            "hot": through(hot, 256),
            "one call": lambda: bench.one_call_each(people, 256, plan.round_s, CONNECTIONS),
        }
        per_s, p99_ms, cpu_us = await _rounds(plan, server, loads)
        gift_ms, commit_ms = await _beside_commits(plan, server, loads["256"])
        delays_ms, streamed_per_s = await stream_rounds(
            bench, people, 256, plan.round_s, plan.rounds
        )
        full, empty, entries = await _when_full(plan, server, bench, loads["256"])
        return [
            *_rates(per_s),
            Figure.of_runs(
                "CPU of a gift, 256 in flight",
                cpu_us["256"],
                "µs",
                peer=f"pgbench TPC-B, {CLIENTS} clients",
                peer_values=cpu_us["TPC-B"],
            ),
            Figure.of_runs("gift at 256 in flight, 99th percentile", p99_ms["256"], "ms"),
            Figure.of_runs(
                "the same, beside smallest commits",
                gift_ms,
                "ms",
                peer="these, 99th percentile",
                peer_values=commit_ms,
            ),
            Figure.of_runs("commit to Redis stream, 99th percentile", delays_ms, "ms"),
            Figure.of_runs(
                "gifts while streamed, 256 in flight", streamed_per_s, "1/s", better="more"
            ),
            Figure.of_runs(
                f"gifts at 256 with {entries / 1e6:.1f} million entries",
                full,
                "1/s",
                peer="the same before",
                peer_values=empty,
                better="more",
            ),
        ]


Values = dict[str, list[float]]


async def _rounds(
    plan: Plan, server: Server, loads: dict[str, Load]
) -> tuple[Values, Values, Values]:
    """Rates, 99th percentiles, and CPU of one, of server and client together, by load."""

    async def pgbench_round() -> Round:
        return Round(await tpc_b(server, plan.round_s), 0.0)

    per_s, p99_ms, cpu_us = (defaultdict[str, list[float]](list) for _ in range(3))
    for number in range(plan.rounds + 1):
        for name, load in {"TPC-B": pgbench_round, **loads}.items():
            cpu_s = server.cpu_s()
            result = await load()
            if number == 0:
                continue  # first plans, first pages, first connections
            per_s[name].append(result.per_s)
            p99_ms[name].append(result.p99_ms)
            count = result.per_s * plan.round_s
            cpu_us[name].append((server.cpu_s() - cpu_s) / count * 1e6)
    return per_s, p99_ms, cpu_us


async def _beside_commits(
    plan: Plan, server: Server, load: Load
) -> tuple[list[float], list[float]]:
    """99th percentiles of a gift, and of a smallest commit meanwhile: what the flush of the log and
    the wait for a core alone take."""
    gifts_ms, commits = list[float](), list[float]()
    for _ in range(plan.rounds):
        commits_too = asyncio.to_thread(commits_ms, server.postgres.url, plan.round_s)
        result, taken_ms = await asyncio.gather(load(), commits_too)
        gifts_ms.append(result.p99_ms)
        commits.append(statistics.quantiles(taken_ms, n=100)[98])
    return gifts_ms, commits


async def _when_full(
    plan: Plan, server: Server, bench: Bench, load: Load
) -> tuple[list[float], list[float], int]:
    empty = [(await load()).per_s for _ in range(plan.rounds)]
    database = server.postgres.url.rpartition("/")[2]
    admin = await asyncpg.connect(f"{server.postgres.admin_url.rpartition('/')[0]}/{database}")
    entries = await fill(admin, plan.entries)
    await admin.close()
    await load()  # pages that the filling has pushed out
    return [(await load()).per_s for _ in range(plan.rounds)], empty, entries


def _rates(per_s: dict[str, list[float]]) -> list[Figure]:
    tpc_b_name = f"pgbench TPC-B, {CLIENTS} clients"

    def rate(figure: str, name: str, peer: str, peer_name: str) -> Figure:
        return Figure.of_runs(
            figure, per_s[name], "1/s", peer=peer, peer_values=per_s[peer_name], better="more"
        )

    return [
        rate("gifts, 32 in flight", "32", tpc_b_name, "TPC-B"),
        rate("gifts, 256 in flight", "256", tpc_b_name, "TPC-B"),
        rate("gifts, 2,000 in flight", "2000", tpc_b_name, "TPC-B"),
        rate(
            "gifts, 256 in flight", "256", f"one call a gift, {CONNECTIONS} connections", "one call"
        ),
        rate("gifts to 10 hot streamers, 256 in flight", "hot", "to all evenly", "256"),
    ]
