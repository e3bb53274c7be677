from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from server.backup.tools import ToolFailed, Tools, password_of, without_password


def test_a_password_is_never_an_argument() -> None:
    url = "postgresql://ada:se%2Fcret@db:5432/live"
    assert without_password(url) == "postgresql://ada@db:5432/live"
    assert password_of(url) == "se/cret"
    assert without_password("postgresql://db/live") == "postgresql://db/live"
    assert password_of("postgresql://db/live") == ""


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        (
            "postgresql://db/live?user=ada&password=se%2Fc+ret&sslmode=require",
            "postgresql://db/live?user=ada&sslmode=require",
            "se/c ret",
        ),
        ("postgresql://ada@db/live?p%61ssword=one&password=two", "postgresql://ada@db/live", "two"),
        ("postgresql://ada:first@db/live?password=x", "postgresql://ada@db/live", "first"),
        ("postgresql:///live?host=%2Frun&password=x", "postgresql:///live?host=%2Frun", "x"),
        (
            "postgresql://a:b@c,d:1/live?passfile=%2Fp",
            "postgresql://a@c,d:1/live?passfile=%2Fp",
            "b",
        ),
    ],
)
def test_a_password_in_the_query_is_none_either(url: str, shown: str, password: str) -> None:
    assert without_password(url) == shown
    assert password_of(url) == password


async def test_a_program_signs_in_with_a_password_of_the_query(database_url: str) -> None:
    parts = urlsplit(database_url)
    address = f"{parts.scheme}://{parts.hostname}:{parts.port}{parts.path}"
    query = urlencode({"user": parts.username, "password": parts.password})
    await Tools(None).run("psql", ["--command=SELECT 1"], f"{address}?{query}")
    wrong = urlencode({"user": parts.username, "password": "wrong"})
    with pytest.raises(ToolFailed, match="password authentication failed"):
        await Tools(None).run("psql", ["--command=SELECT 1"], f"{address}?{wrong}")


async def test_a_passphrase_is_never_an_argument() -> None:
    url = "postgresql://db/live?sslkey=k&sslp%61ssword=secret"
    with pytest.raises(ToolFailed, match="list of processes"):
        await Tools(None).run("psql", [], url)
    with pytest.raises(ToolFailed, match="list of processes"):
        await Tools(None).pipe(["true"], "psql", [], url)


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
