"""The two files: what is written, what is read, and what is refused."""

import csv
import hashlib
import io
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.payouts.errors import FileRefused
from ledger.payouts.files import (
    MAX_FAULTS,
    ORDER_HEADER,
    RESULT_HEADER,
    order_file,
    parse_results,
)
from ledger.payouts.provider import PayoutOrder
from ledger.payouts.results import PayoutResult, ResultStatus

ONE = UUID("01990000-0000-7000-8000-000000000001")
TWO = UUID("01990000-0000-7000-8000-000000000002")
HEADER = ",".join(RESULT_HEADER)


def lines(*rows, total=None, checksum=""):
    body = [HEADER, *rows]
    text = "\r\n".join(body) + "\r\n"
    if checksum is True:
        checksum = hashlib.sha256(text.encode()).hexdigest()
    count, amount = total or (len(rows), sum(int(row.split(",")[1]) for row in rows))
    return f"{text}TOTAL,{count},{amount},{checksum},,\r\n".encode()


SETTLED = f"{ONE},5000,COIN,settled,TX-1,"
FAILED = f"{TWO},70,COIN,failed,,No such account."


def faults(content, most=10):
    with pytest.raises(FileRefused) as refusal:
        parse_results(content, most)
    return [(fault.field, fault.message) for fault in refusal.value.errors]


def test_a_file_of_orders():
    file = order_file([PayoutOrder(TWO, 70, "COIN", "acct:2"), PayoutOrder(ONE, 5, "COIN", "a, b")])
    rows = list(csv.reader(io.StringIO(file.content.decode())))
    assert tuple(rows[0]) == ORDER_HEADER
    assert rows[1:3] == [[str(ONE), "5", "COIN", "a, b"], [str(TWO), "70", "COIN", "acct:2"]]
    before = file.content[: file.content.index(b"TOTAL")]
    assert rows[3] == ["TOTAL", "2", "75", hashlib.sha256(before).hexdigest()]
    assert (file.lines, file.total_minor) == (2, 75)
    assert file.sha256 == hashlib.sha256(file.content).digest()
    again = order_file(
        [PayoutOrder(ONE, 5, "COIN", "a, b"), PayoutOrder(TWO, 70, "COIN", "acct:2")]
    )
    assert again.content == file.content


def test_an_empty_file_of_orders_says_so():
    assert b"TOTAL,0,0," in order_file([]).content


@pytest.mark.parametrize("checksum", ["", True])
@pytest.mark.parametrize("change", [lambda c: c, lambda c: b"\xef\xbb\xbf" + c])
def test_results_are_read(checksum, change):
    content = lines(SETTLED, FAILED, checksum=checksum)
    if not checksum:
        content = change(content)
    assert parse_results(content, 2) == [
        PayoutResult(ONE, ResultStatus.SETTLED, 5000, "COIN", "TX-1", None),
        PayoutResult(TWO, ResultStatus.FAILED, 70, "COIN", None, "No such account."),
    ]


def test_line_ends_and_quotes_of_spreadsheets_are_read():
    content = lines(SETTLED, FAILED).replace(b"\r\n", b"\n").replace(b"TOTAL", b'"TOTAL"')
    assert len(parse_results(content, 2)) == 2


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("x,1,COIN,settled,,", "payout_id"),
        (f"{ONE},-1,COIN,settled,,", "amount_minor"),
        (f"{ONE},1.5,COIN,settled,,", "amount_minor"),
        (f"{ONE},²,COIN,settled,,", "amount_minor"),
        (f"{ONE},{'9' * 19},COIN,settled,,", "amount_minor"),
        (f"{ONE},1,CO\0IN,settled,,", "currency"),
        (f"{ONE},1,coin,settled,,", "currency"),
        (f"{ONE},1,COIN\u0662,settled,,", "currency"),
        (f"{ONE},1,COIN,paid,,", "status"),
        (f"{ONE},1,COIN,failed,,", "reason"),
        (f"{ONE},1,COIN,settled,{'x' * 201},", "reference"),
        (f"{ONE},1,COIN,failed,,a\x07b", "reason"),
        (f"{ONE},1,COIN,settled,", "6 fields"),
    ],
)
def test_a_bad_line_is_named(row, named):
    [(field, message)] = faults(lines(SETTLED.replace(str(ONE), str(TWO)), row, total=(2, 1)))
    assert field == "line 3"
    assert named in message


def test_everything_that_is_wrong_is_named_up_to_a_bound():
    assert len(faults(lines(*["x,1,COIN,settled,,"] * 50), most=100)) == MAX_FAULTS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"a,b\r\n",
        HEADER.encode(),
        f"{HEADER}\r\n{SETTLED}\r\n".encode(),
        lines(SETTLED, SETTLED),
        lines(SETTLED, total=(2, 5000)),
        lines(SETTLED, total=(1, 4999)),
        lines(SETTLED, checksum="00" * 32),
        lines(SETTLED, checksum=True).replace(b"TX-1", b"TX-2"),
        lines(SETTLED, FAILED)[:-8],
        b'"' + lines(SETTLED),
    ],
)
def test_a_file_that_is_cut_doubled_or_edited_is_refused(content):
    assert faults(content)


def test_a_file_that_is_too_long_is_refused():
    assert "at most 1" in faults(lines(SETTLED, FAILED), most=1)[0][1]


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(content):
    with pytest.raises(FileRefused) as refusal:
        parse_results(content, 5)
    assert refusal.value.errors


@given(
    st.lists(
        st.tuples(st.uuids(), st.integers(1, 10**15), st.sampled_from(("settled", "failed"))),
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_what_is_written_is_read(rows):
    written = [f"{i},{amount},COIN,{status},,why" for i, amount, status in rows]
    read = parse_results(lines(*written, checksum=True), 8)
    assert [(r.payout_id, r.amount_minor, r.status) for r in read] == rows
    assert uuid4() not in {r.payout_id for r in read}
