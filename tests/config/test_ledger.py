"""The ledger's settings: a sound catalogue, and bounds."""

import pytest
from pydantic import ValidationError

from config.ledger import MAX_AMOUNT_MINOR, MAX_COUNT, GiftSettings, LedgerSettings, OutboxSettings

ROSE = {"gift_id": "rose", "name": "Rose", "emoji": "🌹", "price_minor": 10}


def test_the_defaults_are_sound():
    settings = LedgerSettings()
    prices = {gift.gift_id: gift.price_minor for gift in settings.gifts}
    assert prices["rose"] == 10
    assert prices["heart"] == 50
    assert prices["castle"] == 20_000
    assert settings.currency == "COIN"


def test_two_gifts_cannot_share_an_id():
    with pytest.raises(ValidationError, match="same gift_id"):
        LedgerSettings(gifts=(ROSE, ROSE))


def test_many_of_the_dearest_request_fit_a_balance():
    assert MAX_AMOUNT_MINOR * 1000 < 2**63


@pytest.mark.parametrize(
    "fault",
    [
        {"gift_id": "Rose"},
        {"gift_id": ""},
        {"name": ""},
        {"name": "Ro\0se"},
        {"emoji": ""},
        {"price_minor": 0},
        {"price_minor": -1},
        {"price_minor": 1.5},
    ],
)
def test_a_gift_that_cannot_be_sold_is_refused(fault):
    with pytest.raises(ValidationError):
        GiftSettings(**ROSE | fault)


@pytest.mark.parametrize(
    "fault",
    [
        {"currency": "coin"},
        {"fee_basis_points": 10_001},
        {"fee_basis_points": -1},
        {"gifts": ()},
        {"max_gift_count": 0},
        {"max_gift_count": MAX_COUNT + 1},
        {"max_grant_minor": MAX_AMOUNT_MINOR + 1},
        {"max_in_flight": 0},
        {"acquire_timeout_s": 0},
        {"statement_timeout_s": 0},
    ],
)
def test_a_value_out_of_range_is_refused(fault):
    with pytest.raises(ValidationError):
        LedgerSettings(**fault)


def test_the_outbox_is_bounded():
    assert OutboxSettings().turn_batches <= 1_000
    with pytest.raises(ValidationError):
        OutboxSettings(turn_batches=0)
