"""Gifts: the catalogue, and what makes two requests equal."""

from dataclasses import replace
from uuid import uuid4

import pytest

from config.ledger import DEFAULT_GIFTS
from ledger.gifts import catalogue


def test_the_catalogue_keeps_the_order_of_the_settings():
    gifts = catalogue(DEFAULT_GIFTS)
    assert list(gifts) == [gift.gift_id for gift in DEFAULT_GIFTS]
    assert (gifts["rose"].name, gifts["rose"].price_minor) == ("Rose", 10)
    with pytest.raises(TypeError):
        gifts["free"] = gifts["rose"]


@pytest.mark.parametrize("change", [{"stream_id": uuid4()}, {"gift_id": "heart"}, {"count": 2}])
def test_another_body_has_another_hash(gift, change):
    request = gift()
    assert replace(request, **change).request_hash() != request.request_hash()


def test_what_the_client_did_not_send_leaves_the_hash(gift):
    request = gift()
    later = replace(request, payer_name="Vera II", payee_id=uuid4())
    assert later.request_hash() == request.request_hash()
    assert len(request.request_hash()) == 32


def test_fields_cannot_run_into_each_other(gift):
    one, other = gift(gift_id="a\n1", count=1), gift(gift_id="a", count=11)
    other = replace(other, stream_id=one.stream_id)
    assert one.request_hash() != other.request_hash()
