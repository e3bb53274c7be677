"""Two codecs, one meaning; whatever bytes come, only the documented refusals leave."""

import msgpack
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import BadFrame, ChatRefusal, CloseCode, Disconnect, TooLarge
from chat.frames import CODECS, JSON, MAX_FIELDS, MSGPACK, Frame

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    text,
)
flat = st.dictionaries(text, scalars, max_size=MAX_FIELDS)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(text, v, max_size=3)
)


@given(flat)
def test_flat_frames_read_the_same_in_both(frame: Frame) -> None:
    assert JSON.decode(JSON.encode(frame).decode()) == frame
    assert MSGPACK.decode(MSGPACK.encode(frame)) == frame


@given(values)
def test_both_refuse_the_same_values(value: object) -> None:
    outcomes = []
    for codec, data in ((JSON, orjson.dumps(value).decode()), (MSGPACK, msgpack.packb(value))):
        try:
            outcomes.append(codec.decode(data))
        except ChatRefusal as refusal:
            outcomes.append(refusal.code)
    assert outcomes[0] == outcomes[1]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_flat_map_or_refused(data: bytes) -> None:
    try:
        frame = MSGPACK.decode(data)
    except BadFrame:
        return
    assert MSGPACK.decode(MSGPACK.encode(frame)).keys() == frame.keys()


@given(st.text(max_size=300))
def test_any_text_is_a_flat_map_or_refused(data: str) -> None:
    try:
        frame = JSON.decode(data)
    except BadFrame:
        return
    assert isinstance(frame, dict)


@given(st.dictionaries(text, values, max_size=4))
def test_events_survive_the_bus(event: Frame) -> None:
    assert MSGPACK.decode_event(MSGPACK.encode(event)) == event


def test_the_number_of_fields_is_bounded() -> None:
    frame = {str(number): number for number in range(MAX_FIELDS)}
    for codec in CODECS.values():
        encoded = codec.encode(frame)
        assert codec.decode(encoded.decode() if codec is JSON else encoded) == frame
        encoded = codec.encode({**frame, "one more": 1})
        with pytest.raises(TooLarge):
            codec.decode(encoded.decode() if codec is JSON else encoded)


def test_the_wrong_kind_of_message_ends_the_connection() -> None:
    for codec, data in ((JSON, b"{}"), (MSGPACK, "{}")):
        with pytest.raises(Disconnect) as end:
            codec.decode(data)
        assert end.value.code is CloseCode.WRONG_KIND


def test_unreadable_events_are_value_errors() -> None:
    for payload in (b"", b"\xc1", b"\x81", b"\x91" * 2000):
        with pytest.raises(ValueError):
            MSGPACK.decode_event(payload)
