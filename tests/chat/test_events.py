"""Events have the fields that the protocol shows, and times are RFC 3339."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import events
from chat.frames import Frame
from chat.members import GiftFace, Member
from tests.chat.test_server import gift_event

PROTOCOL = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
STREAM, USER = uuid4(), uuid4()
ANN = Member(USER, "ann", frozenset({"viewer"}), NOW)
GIFT = gift_event(STREAM, USER)

EVENTS: list[Frame] = [
    events.message(STREAM, uuid4(), ANN, "hi", NOW),
    events.gift(GIFT, GIFT.data, GiftFace("Rose", "🌹")),  # type: ignore[arg-type]
    events.deleted(STREAM, uuid4(), USER),
    events.timed_out(STREAM, USER, NOW),
    events.viewers(STREAM, 3),
    events.stream(STREAM, "live"),
    events.stream(STREAM, "live", reconnect=True),
    events.stream(STREAM, "offline", reason="The publisher stopped."),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["t"])
def test_fields_are_those_of_the_protocol(event: Frame) -> None:
    text = PROTOCOL.read_text()
    (shown,) = re.findall(rf'^← \{{"t": "{event["t"]}", (.*?)\}}(?: .*)?$', text, re.M | re.S)
    top_level = re.sub(r"\{.*?\}", "", shown)
    states = {"live", "interrupted", "offline"}
    optional = set(re.findall(r'"(\w+)"\?', top_level))
    required = {"t", *re.findall(r'"(\w+)"', top_level)} - states - optional
    assert required <= set(event) <= required | optional
    assert json.loads(json.dumps(event)) == event


def test_times_are_utc_with_milliseconds() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=2)))
    assert events.rfc3339(east) == "2026-01-31T12:00:00.000Z"


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_go_there_and_back(unix_ms: int) -> None:
    moment = events.moment_at(unix_ms)
    assert events.milliseconds(moment) == unix_ms
    assert events.milliseconds(datetime.fromisoformat(events.rfc3339(moment))) == unix_ms
