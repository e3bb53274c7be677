"""Grants: what makes two requests equal, and their answer when less may be granted since."""

from dataclasses import replace
from uuid import uuid4

import pytest

from config.ledger import LedgerSettings
from ledger.errors import IdempotencyMismatch, InvalidAmount, InvalidReason
from ledger.grants import GrantRequest
from ledger.service import LedgerService

REQUEST = GrantRequest(uuid4(), uuid4(), 500, "welcome", uuid4())


@pytest.mark.parametrize("change", [{"user_id": uuid4()}, {"amount_minor": 1}, {"reason": "x"}])
def test_another_body_has_another_hash(change):
    assert replace(REQUEST, **change).request_hash() != REQUEST.request_hash()


def test_the_hash_is_of_the_body_alone():
    same = replace(REQUEST, request_id=uuid4(), granted_by=uuid4())
    assert same.request_hash() == REQUEST.request_hash()


async def test_a_repeat_is_answered_when_less_may_be_granted_since(ledger, store, recorder):
    grant = {
        "request_id": uuid4(),
        "user_id": uuid4(),
        "amount_minor": 5_000,
        "reason": "welcome",
        "granted_by": uuid4(),
    }
    first = await ledger.grant(**grant)
    settings = LedgerSettings(max_grant_minor=1_000)
    stricter = LedgerService(settings, store, wake=recorder.wake, observer=recorder)
    assert await stricter.grant(**grant) == replace(first, repeated=True)
    assert recorder.observed[-1] == ("grant", "repeated")
    with pytest.raises(IdempotencyMismatch):
        await stricter.grant(**grant | {"amount_minor": 6_000})
    for change in ({"request_id": uuid4()}, {"amount_minor": 2**64}, {"reason": "\ud800"}):
        with pytest.raises(InvalidAmount) as caught:
            await stricter.grant(**grant | change)
        assert "1,000" in str(caught.value)
    with pytest.raises(InvalidReason):
        await stricter.grant(**grant | {"amount_minor": 1, "reason": "\ud800"})
