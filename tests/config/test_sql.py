"""Named blocks of SQL files."""

import pytest

from config.sql import parse_queries


def test_blocks_by_name() -> None:
    text = "-- What this file is for.\n\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT\n  2;\n"
    assert parse_queries(text) == {"one": "SELECT 1;", "two": "SELECT\n  2;"}


@pytest.mark.parametrize(
    "text", ["-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n", "SELECT 1;\n-- name: a\nSELECT 2\n"]
)
def test_ambiguous_files_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stands"):
        parse_queries(text)
