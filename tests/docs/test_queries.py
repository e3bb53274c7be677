"""The list of queries names what there is."""

import re
from pathlib import Path

from tests.support.query_plans import named_queries

PAGE = Path(__file__).parents[2] / "docs" / "QUERIES.md"


def test_every_listed_query_is_there() -> None:
    listed = set(re.findall(r"`([\w/]+\.sql:\w+)`", PAGE.read_text("utf-8")))
    assert len(listed) > 10
    gone = listed - named_queries().keys()
    assert not gone, f"{sorted(gone)} are gone: make queries"
