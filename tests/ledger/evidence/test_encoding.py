"""The canonical encoding: known octets, and that PostgreSQL's COPY gives the same."""

import io
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence.encoding import (
    COPY_SIGNATURE,
    COPY_TRAILER,
    ENTRY,
    MalformedRows,
    copied_rows,
    encode_row,
    entry_rows,
    instant,
    request_ends,
    split_entries,
    split_rows,
    split_transactions,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def entry(entry_id=1, batch=1):
    return encode_row(entry_id, uuid4(), uuid4(), -5, 10, batch, AT)


def test_known_octets():
    row = encode_row(-2, "é", None, UUID(int=1), datetime(2000, 1, 1, tzinfo=UTC), b"\x00\xff")
    assert row.hex() == (
        "0006"
        "00000008fffffffffffffffe"
        "00000002c3a9"
        "ffffffff"
        "0000001000000000000000000000000000000001"
        "000000080000000000000000"
        "0000000200ff"
    )


@pytest.mark.parametrize("value", [True, 1.5, object(), [1]])
def test_other_values_have_no_encoding(value):
    with pytest.raises(TypeError):
        encode_row(value)


def test_an_instant_comes_back():
    micros = int.from_bytes(encode_row(AT)[6:], "big")
    assert instant(micros) == AT


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.uuids(),
    st.none(),
)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), VALUES, VALUES), max_size=8))
def test_rows_come_out_as_they_went_in(rows):
    encoded = [encode_row(*row) for row in rows]
    stream = COPY_SIGNATURE + bytes(8) + b"".join(encoded) + COPY_TRAILER
    found = list(split_rows(copied_rows(stream)))
    assert [key for key, _ in found] == [row[0] for row in rows]
    assert [bytes(row) for _, row in found] == encoded


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


@given(
    st.lists(
        st.builds(
            encode_row,
            st.integers(0, 2**40),
            st.uuids(),
            TEXTS,
            TEXTS,
            st.none() | TEXTS,
            st.none() | TEXTS,
            st.none() | st.uuids(),
            st.just(AT),
            st.just(AT),
        ),
        max_size=8,
    )
)
def test_transactions_are_split_as_any_row_is(rows):
    whole = memoryview(b"".join(rows))
    assert list(split_transactions(whole)) == list(split_rows(whole))
    if rows:
        for cut in (1, 20, 30):
            with pytest.raises(MalformedRows):
                list(split_transactions(whole[:-cut]))


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_row_that_ends_early_is_refused(cut):
    row = encode_row(1, "text of a row", 2)[:-cut]
    with pytest.raises(MalformedRows, match="ends early"):
        list(split_rows(memoryview(row)))


@pytest.mark.parametrize("stream", [b"", COPY_SIGNATURE, b"x" * 40])
def test_what_is_no_stream_is_refused(stream):
    with pytest.raises(MalformedRows):
        copied_rows(stream)


def test_entries_are_grouped_by_batch():
    rows = [entry(1, 3), entry(2, 3), entry(4, 7)]
    found = list(split_entries(memoryview(b"".join(rows))))
    assert [(batch, bytes(part)) for batch, part in found] == [
        (3, rows[0] + rows[1]),
        (7, rows[2]),
    ]
    assert [bytes(row) for row in entry_rows(found[0][1])] == rows[:2]
    assert ENTRY.unpack(rows[0])[0] == 1
    assert ENTRY.unpack(rows[0])[3:6] == (-5, 10, 3)


def test_an_entry_with_a_null_is_named():
    odd = encode_row(77, uuid4(), uuid4(), None, 10, 3, AT)
    with pytest.raises(MalformedRows, match="NULL") as caught:
        list(split_entries(memoryview(entry(1, 3) + odd)))
    assert caught.value.row == "entry_id 77"


REQUEST = st.builds(
    encode_row,
    st.integers(0, 2**40),
    st.uuids(),
    st.uuids(),
    st.binary(min_size=32, max_size=32),
    st.uuids(),
    st.just(AT),
)
ODD_REQUEST = st.builds(
    encode_row,
    st.integers(0, 2**40),
    st.uuids(),
    st.uuids(),
    st.none() | st.binary(max_size=300),
    st.none() | st.uuids(),
    st.just(AT),
)


@given(st.lists(REQUEST, max_size=8), st.lists(ODD_REQUEST, max_size=2))
def test_each_request_ends_where_the_next_one_begins(rows, odd):
    whole = memoryview(b"".join(rows + odd))
    assert list(request_ends(whole)) == list(accumulate(map(len, rows + odd)))


async def test_postgresql_writes_the_same_octets(pool):
    some = uuid4()
    values = (2**62, -1, "grüße\n", None, some, AT, '{"a": 1, "bb": [true, null]}')
    buffer = io.BytesIO()
    async with pool.acquire() as connection:
        await connection.copy_from_query(
            "SELECT $1::bigint, $2::smallint::bigint, $3::text, $4::text, $5::uuid,"
            " $6::timestamptz, $7::jsonb::text",
            *(values[:5]),
            AT + timedelta(0),
            {"bb": [True, None], "a": 1},
            output=buffer,
            format="binary",
        )
    [(key, row)] = split_rows(copied_rows(buffer.getvalue()))
    assert key == 2**62
    assert bytes(row) == encode_row(*values)
