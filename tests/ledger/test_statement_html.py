"""The page of a statement: complete, self-contained, and with nothing of anyone else's in it."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

from ledger.statement_html import StatementPage, render
from ledger.statements import StatementLine

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
PAGE = StatementPage("Vera", "wallet", "USD", 2, AT, None, AT, 1000, 995)
LINE = StatementLine(7, UUID(int=1), "gift", -5, 995, "1 × Rose", AT)


class Reader(HTMLParser):
    """Collects the texts of cells, and every tag and attribute."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.attributes = [], set(), {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def test_what_stands_on_it():
    texts = Reader(render(PAGE, [LINE])).texts
    for text in ("Vera", "wallet, in USD", "10.00", "9.95", "-0.05", "1 × Rose", str(UUID(int=1))):
        assert text in texts
    assert "2026-01-31 12:00:00 to now" in texts
    both_open = Reader(render(replace(PAGE, begins_at=None), [])).texts
    assert "the beginning to now" in both_open


def test_nothing_is_loaded_and_nothing_runs():
    read = Reader(render(PAGE, [LINE]))
    assert read.tags.isdisjoint({"script", "img", "link", "iframe", "object", "a", "form"})
    assert set(read.attributes) == {"lang", "charset", "name", "content"}
    assert "url(" not in render(PAGE, [LINE])
    assert "@media print" in render(PAGE, [])


def test_what_people_wrote_is_text():
    evil = "</td><script>alert(1)</script>&amp;"
    page = render(replace(PAGE, holder=evil), [replace(LINE, description=evil)])
    read = Reader(page)
    assert "script" not in read.tags
    assert read.texts.count(evil) == 2
