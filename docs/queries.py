"""Writes docs/QUERIES.md: the statements of a working server, as pg_stat_statements counted them.

`make queries`. The work is that of the crash campaign without its crashes: the ledger's writers,
publishers, and the AML checks, over an embedded PostgreSQL. Statements are told apart by their
text, and named as their SQL files name them.
"""

import asyncio
import re
import tempfile
from pathlib import Path
from uuid import UUID

import asyncpg

from tests.sim.clients import Client
from tests.sim.history import History
from tests.sim.system import System
from tests.support.query_plans import indexes_of, named_queries

PAGE = Path(__file__).with_name("QUERIES.md")
REQUESTS = 3_000
PEOPLE = 10
CLIENTS = 8
LEAST_CALLS = 5
STATISTICS = """
SELECT query, sum(calls)::bigint AS calls, sum(rows)::bigint AS rows,
       sum(total_exec_time) / sum(calls) AS mean_ms
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = 'sociallive' GROUP BY query ORDER BY sum(total_exec_time) DESC
"""
HEAD = """# Queries

What a working ledger sends to PostgreSQL, most of the time first: counted by
`pg_stat_statements` while {clients} clients made {requests} requests (gifts, grants, holds,
captures, refunds) of two writers that publish, with two more publishers and two AML readers.
Written by `make queries`; the times are those of one small machine, on tables that were empty
before, and have the waits for locks in them. Statements without a name of their own (BEGIN, COMMIT,
those of migrations) are left out.

| query | calls | rows a call | mean ms | indexes of its plan |
|---|---:|---:|---:|---|
"""


def shape(query: str) -> str:
    """A statement without comments, parameters, constants and spaces, to compare by."""
    plain = re.sub(r"--[^\n]*", "", query)
    return re.sub(r"\$\d+|'[^']*'|\b\d+\b|\s+", "", plain).rstrip(";").lower()


async def worked(system: System) -> None:
    """Return when the requests are made."""
    history, stopped = History(), asyncio.Event()
    people = [UUID(int=number) for number in range(1, PEOPLE + 1)]
    clients = [Client(n, 1, history, system.writer_ports, people) for n in range(CLIENTS)]
    tasks = [asyncio.create_task(client.run(stopped)) for client in clients]
    while True:
        await asyncio.sleep(0.1)
        if sum(client.acknowledged for client in clients) >= REQUESTS:
            break
    stopped.set()
    await asyncio.gather(*tasks)


async def page(path: Path) -> str:
    """The page's text."""
    system = System(path, {"shared_preload_libraries": "pg_stat_statements"})
    try:
        await system.start()
        name = system.postgres.url.rpartition("/")[2]
        admin = await asyncpg.connect(f"{system.postgres.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("CREATE EXTENSION pg_stat_statements")
        await worked(system)
        rows = await admin.fetch(STATISTICS)
        await admin.close()
        queries = named_queries()
        plans = await asyncio.to_thread(indexes_of, queries, system.postgres.url)
    finally:
        await system.stop()
    names = {shape(query): name for name, query in queries.items()}
    lines = []
    for row in rows:
        name = names.get(shape(row["query"]), "")
        if name and row["calls"] >= LEAST_CALLS:
            indexes = ", ".join(f"`{index}`" for index in sorted(_whole(plans[name]))) or "–"
            lines.append(
                f"| `{name}` | {row['calls']:,} | {row['rows'] / row['calls']:.1f} "
                f"| {row['mean_ms']:.2f} | {indexes} |\n"
            )
    return HEAD.format(clients=CLIENTS, requests=REQUESTS) + "".join(lines)


def _whole(indexes: set[str]) -> set[str]:
    """Indexes without those of single partitions."""
    return {index for index in indexes if not re.search(r"_(default|\d{4}_\d\d)_", index)} | {
        "a partition's" for index in indexes if re.search(r"_(default|\d{4}_\d\d)_", index)
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sociallive-queries-") as folder:
        Path(folder).chmod(0o711)
        PAGE.write_text(asyncio.run(page(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
