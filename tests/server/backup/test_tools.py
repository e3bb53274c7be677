from pathlib import Path

import pytest

from server.backup.tools import ToolFailed, Tools, password_of, without_password


def test_a_password_is_never_an_argument() -> None:
    url = "postgresql://ada:se%2Fcret@db:5432/live"
    assert without_password(url) == "postgresql://ada@db:5432/live"
    assert password_of(url) == "se/cret"
    assert without_password("postgresql://db/live") == "postgresql://db/live"
    assert password_of("postgresql://db/live") == ""


def test_a_missing_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="postgres_tools"):
        Tools(tmp_path).path("pg_dump")
    with pytest.raises(ToolFailed):
        Tools(None).path("pg_nothing")


async def test_what_a_program_says_is_passed_on(database_url: str) -> None:
    with pytest.raises(ToolFailed, match=r"psql failed:\n.*nonsense"):
        await Tools(None).run(
            "psql", ["--set=ON_ERROR_STOP=1", "--command=SELECT nonsense"], database_url
        )


async def test_a_failing_source_fails_the_whole(database_url: str, tmp_path: Path) -> None:
    tools = Tools(None)
    with pytest.raises(ToolFailed, match="pg_restore, psql failed"):
        await tools.pipe(
            [tools.path("pg_restore"), "--file=-", str(tmp_path / "none")],
            "psql",
            ["--file=-"],
            database_url,
        )
