import orjson
import pytest

from ledger.events import batch_to_json, to_json
from server.kafka_records import records_of
from tests.support.gifts import gift, gift_event, grant_event


def test_a_gift_is_keyed_by_its_payer() -> None:
    event = gift_event(gift(payer=7))
    [record], faults = records_of(batch_to_json([event]))
    assert not faults
    assert record.key == str(event.data.payer_id).encode()
    assert record.value == to_json(event)
    assert record.headers == (
        ("event_id", str(event.event_id).encode()),
        ("event_type", b"gift.sent"),
        ("event_version", b"1"),
    )
    assert record.timestamp_ms == event.occurred_at.timestamp() * 1000


def test_a_grant_is_keyed_by_its_user() -> None:
    event = grant_event()
    [record], _ = records_of(batch_to_json([event]))
    assert record.key == str(event.data.user_id).encode()


def test_a_posting_is_keyed_by_its_first_person() -> None:
    legs = [{"owner_id": None, "code": "fees"}, {"owner_id": "ada"}, {"owner_id": "bo"}]
    event = {
        "event_id": "e-1",
        "sequence": 9,
        "type": "posting.made",
        "version": 1,
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "data": {"legs": legs},
    }
    [record], _ = records_of(orjson.dumps([event]))
    assert record.key == b"ada"


def test_an_unknown_type_is_exported_and_one_without_account_by_its_id() -> None:
    event = {
        "event_id": "e-1",
        "sequence": 9,
        "type": "coins.melted",
        "version": 3,
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "data": {},
    }
    [record], faults = records_of(orjson.dumps([event]))
    assert not faults
    assert (record.key, record.value) == (b"e-1", orjson.dumps(event))
    assert ("event_version", b"3") in record.headers


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"nonsense", "not JSON"),
        (b"{}", "JSON array"),
        (b"[1]", "event 0: TypeError"),
        (b'[{"event_id": "e", "data": {}}]', "event 0: KeyError"),
        (
            b'[{"event_id":"e","data":{},"occurred_at":"later","type":"t","version":1}]',
            "event 0: ValueError",
        ),
        (b'[{"event_id":7,"data":{},"occurred_at":"2026-01-31","type":"t","version":1}]', "event"),
    ],
)
def test_what_is_no_event_is_said(payload: bytes, fault: str) -> None:
    records, faults = records_of(payload)
    assert not records
    assert fault in faults[0]


def test_a_bad_event_does_not_spoil_the_others() -> None:
    good = orjson.loads(batch_to_json([grant_event(), grant_event()]))
    records, faults = records_of(orjson.dumps([good[0], {"bad": True}, good[1]]))
    assert len(records) == 2
    assert len(faults) == 1
