"""Settlement files: what is read, and the line that is named when a file is not in its format."""

from datetime import date

import pytest

from config.reconcile import SettlementFormat
from ledger.reconcile.items import Item
from ledger.reconcile.settlement import MalformedSettlement, read_settlement

SCALES = {"USD": 2, "COIN": 0}
DEFAULT = SettlementFormat()


def read(text, form=DEFAULT, encoding="utf-8"):
    return read_settlement(text.encode(encoding), form, SCALES)


def test_the_default_format():
    found = read(
        "id,date,amount,currency,reference,fee\r\n"
        "pay_1,2026-01-31,4.99,USD,order-1,0.30\r\n"
        'pay_2,2026-02-01,-4.99,USD,"a ""quoted"", one",0\r\n'
        "\r\n"
        "pay_3,2026-02-01,12,COIN,,0\r\n"
    )
    assert found.lines == (
        Item("pay_1", "order-1", 499, "USD", date(2026, 1, 31)),
        Item("pay_2", 'a "quoted", one', -499, "USD", date(2026, 2, 1)),
        Item("pay_3", None, 12, "COIN", date(2026, 2, 1)),
    )
    assert found.total_minor == {"USD": 0, "COIN": 12}


def test_a_format_that_was_declared():
    form = SettlementFormat(
        delimiter=";",
        encoding="cp1252",
        id_column="Beleg",
        reference_column=None,
        amount_column="Betrag (€)",
        decimal_separator=",",
        negate=True,
        currency_column=None,
        currency="USD",
        date_column="Tag",
        date_format="%d.%m.%Y",
    )
    found = read("Beleg;Betrag (€);Tag\n7;-1234,50;31.01.2026\n", form, "cp1252")
    assert found.lines == (Item("7", None, 123450, "USD", date(2026, 1, 31)),)


def test_minor_units_and_a_byte_order_mark():
    form = SettlementFormat(amount_in="minor")
    found = read("\ufeffid,reference,amount,currency,date\n1,r,499,USD,2026-01-31\n", form)
    assert found.lines[0].amount_minor == 499


HEADER = "id,reference,amount,currency,date\n"
GOOD = "1,r,4.99,USD,2026-01-31\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "no column 'id'"),
        ("id,amount,currency,date\n", 1, "no column 'reference'"),
        ("id,id,reference,amount,currency,date\n", 1, "more than one column 'id'"),
        (HEADER + GOOD + "2,r,1,USD\n", 3, "4 cells"),
        (HEADER + GOOD + GOOD, 3, "stands twice"),
        (HEADER + ",r,1,USD,2026-01-31\n", 2, "id is empty"),
        (HEADER + "1,r,x,USD,2026-01-31\n", 2, "no decimal"),
        (HEADER + "1,r,4.999,USD,2026-01-31\n", 2, "more than 2 digits"),
        (HEADER + "1,r,1,DOGE,2026-01-31\n", 2, "no currency 'DOGE'"),
        (HEADER + "1,r,1,USD,31.01.2026\n", 2, "no date"),
        (HEADER + f"1,{'r' * 201},1,USD,2026-01-31\n", 2, "too long"),
        (HEADER + '1,"r,1,USD,2026-01-31\n', 2, "unexpected end"),
        (HEADER + '1,"r"x,1,USD,2026-01-31\n', 2, "expected after"),
    ],
)
def test_the_line_that_is_wrong_is_named(text, line, problem):
    with pytest.raises(MalformedSettlement, match=problem) as caught:
        read(text)
    assert caught.value.line == line


def test_another_encoding_is_refused_with_its_line():
    with pytest.raises(MalformedSettlement, match="not utf-8") as caught:
        read(HEADER + GOOD + "2,ü,1,USD,2026-01-31\n", encoding="latin-1")
    assert caught.value.line == 3


def test_a_file_has_a_limit():
    with pytest.raises(MalformedSettlement, match="more than 1 lines"):
        read(HEADER + GOOD + GOOD.replace("1,", "2,", 1), SettlementFormat(max_lines=1))


def test_text_is_taken_as_it_is():
    form = SettlementFormat(encoding="latin-1")
    text = "id,date,amount,currency,reference\nä,2026-01-31,1,COIN,ö\n"
    assert read_settlement(text, form, SCALES) == read(text, form, "latin-1")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a,1969-12-31,1,COIN,"], "before 1970"),
        ([f"{n},2026-01-31,{2**62},COIN," for n in range(2)], "add up to more"),
    ],
)
def test_what_no_money_can_be_is_refused(rows, says):
    with pytest.raises(MalformedSettlement, match=says):
        read("\n".join(["id,date,amount,currency,reference", *rows]))
