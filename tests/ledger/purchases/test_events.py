from ledger.event_store.catalogue import Catalogue
from ledger.payouts.events import PAYOUT_EVENTS
from ledger.purchases.events import PURCHASE_EVENTS


def test_each_has_a_name_of_its_own_beside_those_of_payouts():
    names = Catalogue([*PURCHASE_EVENTS, *PAYOUT_EVENTS]).types
    assert [name for name in names if name.startswith("purchase.")] == [
        each.TYPE for each in PURCHASE_EVENTS
    ]
