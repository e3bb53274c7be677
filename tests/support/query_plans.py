"""Plans of the named queries, as PostgreSQL makes them for any parameters."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from config.sql import parse_queries
from server.backup.tools import password_of, without_password
from server.embedded.postgres import installation

HOUSE = Path(__file__).parents[2]
FILES = ("ledger", "compliance", "identity", "media")
USED = re.compile(r"(?:using|Bitmap Index Scan on) (\w+)")
MARK = "-- of "

# Tables are empty here: without these the planner would read them whole, and sort.
SETTINGS = (
    "SET enable_seqscan = off; SET enable_sort = off; SET plan_cache_mode = force_generic_plan;"
)


def named_queries() -> dict[str, str]:
    """Every block of every SQL file, by `file:name`."""
    return {
        f"{path.relative_to(HOUSE)}:{name}": query
        for folder in FILES
        for path in sorted((HOUSE / folder).rglob("sql/*.sql"))
        for name, query in parse_queries(path.read_text("utf-8")).items()
    }


ALONE = """
UPDATE pg_index SET indisvalid = false
WHERE indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = '{index}'::regclass)
  AND indexrelid <> '{index}'::regclass;
"""


def indexes_of(queries: Mapping[str, str], database_url: str) -> dict[str, set[str]]:
    """The indexes that the plan of each query reads; none where it has no plan."""
    script = "\n".join(
        f"\\echo {MARK}{name}\nEXPLAIN (GENERIC_PLAN) {query.rstrip().rstrip(';')};"
        for name, query in queries.items()
    )
    found: dict[str, set[str]] = {name: set() for name in queries}
    name = ""
    for line in _run(script, database_url).splitlines():
        if line.startswith(MARK):
            name = line.removeprefix(MARK)
        else:
            found[name] |= set(USED.findall(line))
    return found


def plan_of(query: str, database_url: str) -> str:
    """The plan of one query."""
    return _run(f"EXPLAIN (GENERIC_PLAN) {query.rstrip().rstrip(';')};", database_url)


def reads_alone(index: str, query: str, values: Mapping[str, str], superuser_url: str) -> bool:
    """Whether the query, with these parameters, reads the index where its table has no other.

    Which of several fitting indexes is best depends on what is in the table.
    """
    for parameter, value in values.items():
        query = query.replace(parameter, value)
    alone = ALONE.format(index=index)
    plan = _run(f"BEGIN;{alone}\nEXPLAIN (GENERIC_PLAN) {query};\nROLLBACK;", superuser_url)
    return index.rpartition(".")[2] in USED.findall(plan)


def _run(script: str, url: str) -> str:
    answer = subprocess.run(
        [str(installation() / "bin" / "psql"), "-XqAt", f"--dbname={without_password(url)}"],
        input=f"{SETTINGS}\n{script}\n",
        env={"PGPASSWORD": password_of(url)},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout
