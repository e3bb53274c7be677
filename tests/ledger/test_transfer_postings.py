"""The refusals of general postings, row by row, precedence included."""

from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.grants import MAX_REASON_CHARS
from ledger.postings import MAX_LEGS, Leg, Posting
from ledger.transfer import (
    LABEL_CHECKS,
    POSTING_CHECKS,
    AccountState,
    Known,
    TransferResult,
    check_posting,
    check_postings,
    is_line,
    settle_posting,
)

R = TransferResult
ADA, BEN = uuid4(), uuid4()
MOST = 2**63 - 1
SAME_BEFORE, OTHER_BEFORE = Known(b"same"), Known(b"other")


def leg(amount, code=AccountCode.WALLET, owner=ADA, currency="COIN"):
    return Leg(owner, code, amount, currency)


def posting(*legs, **fields):
    return Posting(**{"kind": "correction", "description": "moved", "legs": legs} | fields)


def crowd(count):
    return tuple(leg(1, owner=uuid4()) for _ in range(count))


FAULTS = {
    R.INVALID_LEGS: [(), (leg(5),), (*crowd(MAX_LEGS), leg(-MAX_LEGS))],
    R.INVALID_AMOUNT: [
        (leg(amount), leg(-5, owner=BEN)) for amount in (0, 2**63, -(2**63), True, 1.0, "5", None)
    ],
    R.UNKNOWN_CURRENCY: [
        (leg(5, currency=currency), leg(-5, owner=BEN, currency=currency))
        for currency in ("x\0", "\ud800", None)
    ],
    R.UNKNOWN_ACCOUNT: [
        (leg(5, owner=None), leg(-5)),
        (leg(5, AccountCode.FEES), leg(-5)),
        (leg(5, "savings"), leg(-5)),
    ],
    R.SELF_TRANSFER: [(leg(5), leg(-5)), (leg(2), leg(3), leg(-5, owner=BEN))],
    R.UNBALANCED: [
        (leg(5), leg(-4, owner=BEN)),
        (leg(5), leg(-5, owner=BEN, currency="EURO")),
        (leg(5), leg(-5, owner=BEN), leg(7, currency="EURO")),
    ],
}


@pytest.mark.parametrize(
    "legs",
    [
        (leg(5), leg(-5, owner=BEN)),
        (leg(MOST), leg(-MOST, owner=BEN)),
        (*crowd(MAX_LEGS - 1), leg(1 - MAX_LEGS)),
        (leg(5), leg(-5, owner=BEN), leg(7, currency="EURO"), leg(-7, owner=BEN, currency="EURO")),
        (leg(5), leg(-5, AccountCode.EARNINGS)),
    ],
)
def test_a_sound_posting_is_admitted(legs):
    assert check_posting(posting(*legs)) is R.ADMITTED


@pytest.mark.parametrize(
    ("result", "legs"), [(result, legs) for result, faults in FAULTS.items() for legs in faults]
)
def test_each_fault_is_refused(result, legs):
    assert check_posting(posting(*legs)) is result


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("x", True),
        ("x" * MAX_REASON_CHARS, True),
        ("x" * (MAX_REASON_CHARS + 1), False),
        ("", False),
        (" ", False),
        ("a\nb", False),
        ("\ud800", False),
        (None, False),
        (b"x", False),
    ],
)
def test_a_description_is_one_line(text, is_one):
    assert is_line(text) is is_one
    result = R.ADMITTED if is_one else R.INVALID_REASON
    assert check_posting(posting(leg(5), leg(-5, owner=BEN), description=text)) is result


LABELS = {
    "kind": (R.INVALID_KIND, ("", "Bad Kind", "kind\n", "ä", "x" * 33, "k1", None)),
    "reference": (R.INVALID_REFERENCE, ("", "x" * 201, "a\0", "a\nb", " a", "a ", "\ud800", 5)),
    "memo": (R.INVALID_NOTES, ("a\0", "\ud800")),
    "metadata": (
        R.INVALID_NOTES,
        ({"a": "\0"}, {"a\0": 1}, {"a": ["\\\0"]}, {"a": 2**64}, {"a": -(2**63) - 1}, {"a": {1}}),
    ),
}


@pytest.mark.parametrize(
    ("field", "value", "result"),
    [(field, value, result) for field, (result, values) in LABELS.items() for value in values],
)
def test_a_label_that_cannot_be_stored_is_refused(field, value, result):
    assert check_posting(posting(leg(5), leg(-5, owner=BEN), **{field: value})) is result
    assert check_posting(posting(**{field: value}), LABEL_CHECKS) is result


def test_sound_labels_are_admitted():
    for labels in (
        {"kind": "x", "reference": "x", "memo": "two\nlines", "metadata": {"a": "\\u0000"}},
        {"kind": "a_z" * 10, "reference": "x" * 200, "memo": "", "metadata": {"a": 2**63}},
    ):
        assert check_posting(posting(leg(5), leg(-5, owner=BEN), **labels)) is R.ADMITTED
        assert check_posting(posting(**labels), LABEL_CHECKS) is R.ADMITTED


def test_linked_postings_are_some_and_each_is_judged():
    sound, faulty = posting(leg(5), leg(-5, owner=BEN)), posting(leg(5), leg(5))
    assert check_postings([]) is R.INVALID_LINKS
    assert check_postings([sound]) is R.ADMITTED
    assert check_postings([sound] * MAX_LEGS) is R.ADMITTED
    assert check_postings([sound] * (MAX_LEGS + 1)) is R.INVALID_LINKS
    assert check_postings([sound, faulty, posting()]) is R.SELF_TRANSFER
    assert check_postings([posting(), faulty]) is R.INVALID_LEGS


def test_the_first_fault_is_the_answer():
    assert check_posting(posting(description="")) is R.INVALID_LEGS
    assert check_posting(posting(leg(0), leg(0), description="", kind="")) is R.INVALID_REASON
    assert check_posting(posting(leg(0), leg(0), kind="", reference="")) is R.INVALID_KIND
    assert check_posting(posting(leg(0), leg(0), reference="", memo="\0")) is R.INVALID_REFERENCE
    assert check_posting(posting(leg(0), leg(0), memo="\0")) is R.INVALID_NOTES
    assert check_posting(posting(leg(0), leg(5, "savings"))) is R.INVALID_AMOUNT
    assert check_posting(posting(leg(5, "savings"), leg(5, "savings"))) is R.UNKNOWN_ACCOUNT
    assert check_posting(posting(leg(5, currency=""), leg(5, "savings"))) is R.UNKNOWN_ACCOUNT
    assert (
        check_posting(posting(leg(5, currency="\0"), leg(5, currency="\0"))) is R.UNKNOWN_CURRENCY
    )
    assert check_posting(posting(leg(5), leg(5))) is R.SELF_TRANSFER
    assert [result for result, _ in POSTING_CHECKS] == [
        R.INVALID_LEGS,
        R.INVALID_REASON,
        R.INVALID_KIND,
        R.INVALID_REFERENCE,
        R.INVALID_NOTES,
        R.INVALID_AMOUNT,
        R.UNKNOWN_ACCOUNT,
        R.UNKNOWN_CURRENCY,
        R.SELF_TRANSFER,
        R.UNBALANCED,
    ]


# ---- what the books make of it ----


def settled(*postings, **books):
    """A case, which its test settles."""
    return postings, books


def settle_in_books(postings, known=None, references=(), **states):
    """In books where Ada has 10, of which 3 are held, and Ben nothing."""
    books = {"ada": AccountState(10, 3), "ben": AccountState()} | states
    names = {ADA: "ada", BEN: "ben"}
    return settle_posting(
        known,
        b"same",
        postings,
        currencies=frozenset({"COIN"}),
        references=frozenset(references),
        state=lambda leg: books.get(names.get(leg.owner_id), AccountState()),
    )


def give(amount, **fields):
    """From Ada to Ben."""
    return posting(leg(amount, owner=BEN), leg(-amount), **fields)


EURO = posting(leg(-9, currency="EURO"), leg(9, owner=BEN, currency="EURO"))
CLOSED = AccountState(closed=True)


@pytest.mark.parametrize(
    ("case", "result"),
    [
        (settled(give(7)), R.POSTED),
        (settled(give(8)), R.INSUFFICIENT_FUNDS),
        (settled(give(-1)), R.INSUFFICIENT_FUNDS),
        (settled(give(7), give(-7)), R.POSTED),
        (settled(give(-7), give(7)), R.INSUFFICIENT_FUNDS),
        (settled(give(6), give(1)), R.POSTED),
        (settled(give(7), give(1)), R.INSUFFICIENT_FUNDS),
        (settled(give(8), known=SAME_BEFORE), R.REPEATED),
        (settled(give(7), known=OTHER_BEFORE), R.IDEMPOTENCY_MISMATCH),
        (settled(give(8), known=Known(b"same", archived=True)), R.REQUEST_EXPIRED),
        (settled(EURO), R.UNKNOWN_CURRENCY),
        (settled(EURO, ben=CLOSED), R.UNKNOWN_CURRENCY),
        (settled(give(8), ben=CLOSED), R.ACCOUNT_CLOSED),
        (settled(give(8), ada=CLOSED), R.ACCOUNT_CLOSED),
        (settled(give(7, reference="r"), references={"r"}), R.DUPLICATE_REFERENCE),
        (settled(give(8, reference="r"), references={"r"}), R.DUPLICATE_REFERENCE),
        (settled(give(7, reference="r"), references={"s"}), R.POSTED),
        (settled(give(1, reference="r"), give(1, reference="r")), R.DUPLICATE_REFERENCE),
        (settled(give(1, reference="r"), give(1, reference="s")), R.POSTED),
        (settled(give(1), give(1)), R.POSTED),
        (settled(give(7), ben=AccountState(MOST)), R.AMOUNT_TOO_LARGE),
        (settled(give(7), ben=AccountState(MOST - 6)), R.AMOUNT_TOO_LARGE),
        (settled(give(7), ben=AccountState(MOST - 7)), R.POSTED),
        (settled(give(8), ben=AccountState(MOST)), R.INSUFFICIENT_FUNDS),
        (settled(give(1), ada=AccountState(), ben=AccountState(MOST)), R.INSUFFICIENT_FUNDS),
        (settled(posting(leg(7), leg(-7, AccountCode.ISSUANCE, None))), R.POSTED),
        (
            settled(posting(leg(7), leg(-7, AccountCode.FEES, None))),
            R.INSUFFICIENT_FUNDS,
        ),
    ],
)
def test_settling_linked_postings(case, result):
    postings, books = case
    assert settle_in_books(postings, **books) is result
