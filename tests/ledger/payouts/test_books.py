"""The protocol that payouts need is what the tests' books keep to."""

import inspect

from ledger.payouts.books import Books
from tests.support.payout_house import PlainBooks


def test_the_books_of_the_tests_are_books():
    names = [name for name in vars(Books) if not name.startswith("_")]
    assert names
    for name in names:
        wanted, given = (inspect.signature(getattr(each, name)) for each in (Books, PlainBooks))
        assert list(wanted.parameters) == list(given.parameters), name
