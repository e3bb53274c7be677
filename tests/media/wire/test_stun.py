"""Binding requests and their answers against aioice, a STUN of other hands."""

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.wire.stun import (
    StunError,
    build_error,
    build_success,
    is_binding_request,
    parse_binding_request,
)

PASSWORD = b"password of the session"
TRANSACTION = b"transaction!"

texts = st.text(st.characters(codec="utf-8"), max_size=40)
others = st.fixed_dictionaries(
    {},
    optional={
        "PRIORITY": st.integers(0, 2**32 - 1),
        "SOFTWARE": texts,
        "ICE-CONTROLLING": st.integers(0, 2**64 - 1),
        "USE-CANDIDATE": st.none(),
        "ICE-CONTROLLED": st.integers(0, 2**64 - 1),
        "USERNAME": texts,
    },
)


def request(attributes: dict[str, object], *, signed: bool = True) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, TRANSACTION, dict(attributes))
    if signed:
        message.add_message_integrity(PASSWORD)
    return bytes(message)


@given(others, st.booleans())
def test_what_aioice_writes_is_read(attributes: dict[str, object], signed: bool) -> None:
    parsed = parse_binding_request(request(attributes, signed=signed))
    assert parsed.transaction_id == TRANSACTION
    assert parsed.user_name == attributes.get("USERNAME", "")
    assert parsed.use_candidate == ("USE-CANDIDATE" in attributes)
    assert parsed.is_controlled == ("ICE-CONTROLLED" in attributes)
    assert (parsed.integrity is not None) == signed
    assert parsed.is_signed_with(PASSWORD) == signed
    assert not parsed.is_signed_with(PASSWORD + b"x")


@given(others, st.data())
def test_a_changed_request_is_not_signed_or_no_request(
    attributes: dict[str, object], data: st.DataObject
) -> None:
    whole = request(attributes)
    signed_bytes = len(whole) - 8 - 24
    position = data.draw(st.integers(0, signed_bytes - 1).filter(lambda at: at not in (2, 3)))
    bit = 1 << data.draw(st.integers(0, 7))
    damaged = whole[:position] + bytes([whole[position] ^ bit]) + whole[position + 1 :]
    unprinted = damaged[:-8]  # without FINGERPRINT, which would give it away
    for datagram in (
        damaged,
        unprinted[:2] + (len(unprinted) - 20).to_bytes(2, "big") + unprinted[4:],
    ):
        try:
            parsed = parse_binding_request(datagram)
        except StunError:
            continue
        assert not parsed.is_signed_with(PASSWORD)


@given(st.binary(max_size=120), st.booleans())
def test_what_is_read_aioice_would_read_too(noise: bytes, framed: bool) -> None:
    """Ours may be stricter: it refuses attributes that are cut off or not padded."""
    if framed:
        noise = b"\0\1" + len(noise).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION + noise
    try:
        parsed = parse_binding_request(noise)
    except StunError:
        return
    try:
        theirs = stun.parse_message(noise)
    except Exception:  # of attributes that we don't read
        return
    assert theirs.message_class is stun.Class.REQUEST
    assert theirs.check_message_integrity(PASSWORD) == parsed.is_signed_with(PASSWORD)


def attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def framed(*attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return b"\0\1" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION + body


def test_the_first_of_repeated_attributes_counts() -> None:
    assert parse_binding_request(framed(attribute(6, b"a"), attribute(6, b"b"))).user_name == "a"


def test_what_follows_the_integrity_does_not_count() -> None:
    parsed = parse_binding_request(framed(attribute(8, bytes(20)), attribute(0x25, b"")))
    assert not parsed.use_candidate


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        framed()[:19],
        framed()[:3] + b"\4" + framed()[4:],  # four bytes that are not there
        framed(b"\0\6\0\4ab"),  # not padded
        framed(b"\0\6\0\5abcd"),  # cut off
        framed(attribute(6, b"\xff\xfe")),
        framed(attribute(0x8028, bytes(4))),  # a fingerprint that is wrong
        b"\1\1" + framed()[2:],  # a response
    ],
)
def test_refused(datagram: bytes) -> None:
    with pytest.raises(StunError):
        parse_binding_request(datagram)


def test_a_request_is_known_by_its_type_and_cookie() -> None:
    assert is_binding_request(framed())
    assert not is_binding_request(b"\0\1" + bytes(18))
    assert not is_binding_request(b"")


@given(st.ip_addresses().map(str), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
def test_aioice_reads_our_success(host: str, port: int, transaction_id: bytes) -> None:
    answer = stun.parse_message(build_success(transaction_id, (host, port), PASSWORD))
    assert (answer.message_method, answer.message_class) == (
        stun.Method.BINDING,
        stun.Class.RESPONSE,
    )
    assert answer.transaction_id == transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (host, port)
    assert answer.check_message_integrity(PASSWORD)
    assert "FINGERPRINT" in answer.attributes


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_aioice_reads_our_errors(password: bytes | None) -> None:
    answer = stun.parse_message(build_error(TRANSACTION, 487, "Role Conflict", password))
    assert answer.message_class is stun.Class.ERROR
    assert answer.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert answer.check_message_integrity(PASSWORD) == (password is not None)
    assert "FINGERPRINT" in answer.attributes
