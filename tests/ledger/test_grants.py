"""Grants: what makes two requests equal."""

from dataclasses import replace
from uuid import uuid4

import pytest

from ledger.grants import GrantRequest

REQUEST = GrantRequest(uuid4(), uuid4(), 500, "welcome", uuid4())


@pytest.mark.parametrize("change", [{"user_id": uuid4()}, {"amount_minor": 1}, {"reason": "x"}])
def test_another_body_has_another_hash(change):
    assert replace(REQUEST, **change).request_hash() != REQUEST.request_hash()


def test_the_hash_is_of_the_body_alone():
    same = replace(REQUEST, request_id=uuid4(), granted_by=uuid4())
    assert same.request_hash() == REQUEST.request_hash()
