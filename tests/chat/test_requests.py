"""Fields are read exactly, and each refusal names the field."""

from typing import Any
from uuid import UUID

import pytest

from chat.errors import BadFrame, EmptyText, InvalidCount, TextTooLong
from chat.requests import (
    MAX_SAFE_INTEGER,
    MAX_TIMEOUT_S,
    Fields,
    Hello,
    Join,
    Say,
    SendGift,
    TimeOut,
    request_id,
)

ID = "2f7f8ad1-cdf0-4318-8818-b7a0628471ad"


def fields(**frame: Any) -> Fields:
    return Fields(frame, max_text_chars=500)


@pytest.mark.parametrize("value", [None, "", "a", "x" * 64, 0, -5, MAX_SAFE_INTEGER])
def test_ids_that_are_repeated(value: Any) -> None:
    assert request_id({"id": value}) == value


@pytest.mark.parametrize("value", ["x" * 65, MAX_SAFE_INTEGER + 1, 1.0, True, False])
def test_ids_that_are_refused(value: Any) -> None:
    with pytest.raises(BadFrame, match="id"):
        request_id({"id": value})


def test_no_id_is_no_id() -> None:
    assert request_id({}) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "",
        "here",
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID.replace("-", ""),
        ID + "\n",
        "z" + ID[1:],
    ],
)
def test_only_plain_uuids_are_ids_of_things(value: Any) -> None:
    with pytest.raises(BadFrame, match="stream_id"):
        Join.read(fields(stream_id=value))


def test_uuids_are_read_in_either_case() -> None:
    assert Join.read(fields(stream_id=ID.upper())).stream_id == UUID(ID)


@pytest.mark.parametrize("token", [5, "", "x" * 4097, True])
def test_tokens_are_strings(token: Any) -> None:
    with pytest.raises(BadFrame, match="token"):
        Hello.read(fields(token=token))


def test_no_token_is_a_guest() -> None:
    assert Hello.read(fields()) == Hello.read(fields(token=None)) == Hello(None)


def test_text_is_counted_after_it_was_cleaned() -> None:
    assert Say.read(fields(stream_id=ID, text=f" {'x' * 500}\x00 ")).text == "x" * 500
    with pytest.raises(TextTooLong, match="500"):
        Say.read(fields(stream_id=ID, text="x" * 501))
    with pytest.raises(EmptyText):
        Say.read(fields(stream_id=ID, text="\x00 \u200b"))
    with pytest.raises(BadFrame, match="text"):
        Say.read(fields(stream_id=ID, text=None))


@pytest.mark.parametrize("count", [None, 0, -1, 1.0, True, "1", MAX_SAFE_INTEGER + 1])
def test_counts_are_positive_whole_numbers(count: Any) -> None:
    with pytest.raises(InvalidCount):
        SendGift.read(fields(stream_id=ID, request_id=ID, gift_id="rose", count=count))


@pytest.mark.parametrize("gift_id", [None, "", 5, "x" * 65])
def test_gifts_are_named(gift_id: Any) -> None:
    with pytest.raises(BadFrame, match="gift_id"):
        SendGift.read(fields(stream_id=ID, request_id=ID, gift_id=gift_id, count=1))


@pytest.mark.parametrize("seconds", [None, -1, MAX_TIMEOUT_S + 1, 1.5, True])
def test_timeouts_last_up_to_a_week(seconds: Any) -> None:
    with pytest.raises(BadFrame, match="seconds"):
        TimeOut.read(fields(stream_id=ID, user_id=ID, seconds=seconds))
    assert TimeOut.read(fields(stream_id=ID, user_id=ID, seconds=MAX_TIMEOUT_S))
    assert TimeOut.read(fields(stream_id=ID, user_id=ID, seconds=0))


def test_unknown_fields_are_ignored() -> None:
    assert Join.read(fields(stream_id=ID, colour="blue")).stream_id == UUID(ID)
