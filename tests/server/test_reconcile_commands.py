"""`sociallive ledger reconcile`, run as a command."""

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from server.cli import EXIT_REFUSED, EXIT_UNSOUND, main
from server.database import create_pool
from tests.support.settlements import bought, settlement

Run = Callable[..., str]


@pytest.fixture
def run(
    database_url: str,
    redis_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run the command; what it printed."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SOCIALLIVE_STORES__DATA_DIR", str(data_dir))

    def command(*words: str) -> str:
        capsys.readouterr()
        main(["ledger", "reconcile", *words])
        return capsys.readouterr().out

    return command


async def buy(database_url: str) -> None:
    pool = await create_pool(database_url)
    await bought(pool, "A", 499, date(2026, 1, 10))
    await pool.close()


def test_a_ledger_without_differences(run: Run) -> None:
    assert run().endswith("internal ledger, 0 checked, 0 matched, 0 differences\n")


def test_a_file_is_matched_once_and_differences_end_with_their_code(
    run: Run, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(buy(database_url))
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(settlement("t1,A,4.99,EUR,2026-01-10"))
    bad.write_bytes(settlement("t2,B,1.00,EUR,2026-01-10"))
    assert "1 checked, 1 matched, 0 differences" in run("--provider", "default", str(good))
    with pytest.raises(SystemExit) as caught:
        run("--provider", "default", str(bad))
    assert caught.value.code == EXIT_UNSOUND
    printed = capsys.readouterr()
    assert "settlement default, theirs t2: no_counterpart: 100 EUR" in printed.out
    assert "Differences found: 1." in printed.err
    for words, says in (
        (("default", str(good)), "reconciled before"),
        (("nobody", str(good)), "'nobody'"),
        (("default", str(tmp_path / "none.csv")), "none.csv"),
    ):
        with pytest.raises(SystemExit) as caught:
            run("--provider", *words)
        assert caught.value.code == EXIT_REFUSED
        assert says in capsys.readouterr().err
