"""Entries of the stream: good ones, spoilt ones, and old ones."""

from datetime import timedelta

import orjson
import pytest

from compliance.aml.intake import Entry, Intake, take_in
from ledger.events import batch_to_json
from tests.support.gifts import START, batch, gift, gift_event, grant_event

SINCE = START - timedelta(days=30)


def read(payload: bytes) -> Intake:
    return take_in(Entry("1-0", payload, 1), SINCE)


def test_a_gift_is_taken_as_compliance_sees_it() -> None:
    sent = gift(1, amount=120)
    intake = read(batch(sent))
    assert intake.gifts == (sent,)
    assert (intake.events, intake.faults, intake.newest) == (1, (), sent.occurred_at)


def test_grants_are_read_and_have_no_effect() -> None:
    intake = read(batch_to_json([grant_event(5), gift_event(gift(1))]))
    assert (intake.events, len(intake.gifts)) == (2, 1)
    assert intake.newest == START + timedelta(seconds=5)


def test_an_empty_batch_is_no_fault() -> None:
    intake = read(b"[]")
    assert (intake.events, intake.gifts, intake.faults, intake.newest) == (0, (), (), None)


@pytest.mark.parametrize(
    "payload", [b"", b"nonsense", b"{}", b"17", b"\xff\xfe", b"[" * 10_000, b'{"event_id": 1}']
)
def test_what_is_no_batch_is_one_fault(payload: bytes) -> None:
    intake = read(payload)
    assert (intake.events, intake.gifts, len(intake.faults)) == (0, (), 1)


def changed(path: str, value: object) -> bytes:
    """A batch of a spoilt gift and a good one."""
    good = gift(2)
    values = orjson.loads(batch(gift(1), good))
    target = values[0]["data"] if path in values[0]["data"] else values[0]
    target[path] = value
    return orjson.dumps(values)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("total_minor", "20"),
        ("total_minor", 2.5),
        ("total_minor", None),
        ("payer_id", "nobody"),
        ("occurred_at", "yesterday"),
        ("occurred_at", "2026-01-31T12:00:00"),
        ("type", "gift.eaten"),
        ("version", 99),
        ("event_id", 7),
        ("data", []),
    ],
)
def test_one_spoilt_event_does_not_spoil_the_others(path: str, value: object) -> None:
    intake = read(changed(path, value))
    assert (intake.events, len(intake.gifts), len(intake.faults)) == (1, 1, 1)
    assert intake.faults[0].startswith("event 0: ")


def test_a_gift_from_before_what_is_remembered_is_a_fault() -> None:
    old, new = gift(-30 * 86_400 - 1), gift(0)
    intake = read(batch(old, new))
    assert intake.gifts == (new,)
    assert intake.faults[0].startswith(str(old.event_id))
