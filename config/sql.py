"""Named blocks of SQL files.

A block starts with a line `-- name: something` and ends where the next one starts.
"""

import re
from importlib import resources

_BLOCK = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


def parse_queries(text: str) -> dict[str, str]:
    """The blocks of `text` by name.

    Raises ValueError where a name stands twice or SQL stands before the first name.
    """
    head, *rest = _BLOCK.split(text)
    if head.strip() and any(not line.startswith("--") for line in head.split("\n") if line.strip()):
        raise ValueError("SQL stands before the first '-- name:' line")
    queries: dict[str, str] = {}
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if name in queries:
            raise ValueError(f"query {name!r} stands twice")
        queries[name] = body.strip()
    return queries


def load_queries(package: str, path: str) -> dict[str, str]:
    """The blocks of the SQL file at `path` inside `package`."""
    return parse_queries(resources.files(package).joinpath(path).read_text("utf-8"))
