"""The events of payouts: named, told apart, and without what is nobody's business."""

from dataclasses import fields

from ledger.event_store.catalogue import Catalogue
from ledger.payouts.events import PAYOUT_EVENTS


def test_each_has_a_name_of_its_own():
    catalogue = Catalogue(PAYOUT_EVENTS)
    assert len(catalogue.types) == len(PAYOUT_EVENTS)
    assert all(name.startswith("payout.") for name in catalogue.types)


def test_none_carries_where_the_money_goes():
    names = {field.name for each in PAYOUT_EVENTS for field in fields(each)}
    assert "destination" not in names
