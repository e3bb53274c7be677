"""Which row a finding names."""

from dataclasses import replace
from uuid import UUID

import pytest

from ledger.evidence.encoding import encode_row, entry_rows
from ledger.evidence.findings import (
    Finding,
    changed_batch,
    changed_references,
    changed_requests,
    changed_seals,
    missing_batch,
    stray_batch,
)
from ledger.evidence.links import ChainBuilder
from tests.support.evidence import (
    ONE,
    OTHER,
    batch,
    entry_row,
    log_row,
    request_row,
    requests_of,
    transaction_row,
    unposted_row,
)

SOUND = batch()
FIRST, SECOND = entry_rows(SOUND.entries)
LINK = ChainBuilder().add_batch(SOUND)


def entries(*rows):
    return replace(SOUND, entries=memoryview(b"".join(bytes(row) for row in rows)))


@pytest.mark.parametrize(
    ("changed", "table", "row", "problem"),
    [
        (replace(SOUND, log=[log_row(count=2)]), "event_log", "sequence 5", "changed"),
        (replace(SOUND, log=()), "event_log", "batch 5", "missing, the first"),
        (replace(SOUND, log=[*SOUND.log, log_row()]), "event_log", "sequence 5", "added"),
        (
            replace(SOUND, transactions=[transaction_row(text="y")]),
            "transactions",
            f"transaction_id {ONE}",
            "changed",
        ),
        (replace(SOUND, transactions=()), "transactions", "batch 5", "missing, the first"),
        (
            replace(SOUND, transactions=[*SOUND.transactions, transaction_row(5, OTHER)]),
            "transactions",
            f"transaction_id {OTHER}",
            "added",
        ),
        (entries(FIRST), "journal_entries", "batch 5", "missing, behind entry_id 1"),
        (entries(SECOND), "journal_entries", "batch 5", "missing, the first"),
        (entries(FIRST, SECOND, entry_row(9, ONE, 1, 1)), "journal_entries", "entry_id 9", "added"),
        (entries(FIRST, entry_row(2, OTHER, 7, 8)), "journal_entries", "entry_id 2", "changed"),
    ],
)
def test_the_row_that_was_tampered_with_is_named(changed, table, row, problem):
    found = changed_batch(LINK, changed)
    assert (found.table, found.row) == (table, row)
    assert problem in found.problem


def test_a_digest_without_a_changed_row_is_the_chains_own_fault():
    found = changed_batch(replace(LINK, digest=bytes(32)), SOUND)
    assert (found.table, found.row) == ("chain", "position 1")


def test_a_seal_is_named_by_its_account():
    seals = [memoryview(encode_row(1, UUID(int=n), "wallet")) for n in (1, 2)]
    link = ChainBuilder().add_seals(seals)
    other = memoryview(encode_row(1, UUID(int=2), "fees"))
    assert changed_seals(link, [seals[0], other]).row == f"account_id {UUID(int=2)}"
    assert "missing" in changed_seals(link, seals[:1]).problem
    assert changed_seals(link, seals).table == "chain"


def test_a_batch_that_is_gone_and_one_that_was_added():
    assert missing_batch(LINK).row == "sequence 5"
    assert stray_batch(SOUND).row == "sequence 5"
    assert stray_batch(replace(SOUND, log=())).row == f"transaction_id {ONE}"
    only_entries = replace(SOUND, log=(), transactions=())
    assert stray_batch(only_entries).row == "entry_id 1"


def test_a_finding_is_one_line_for_people():
    assert str(Finding("chain", "position 3", "gone")) == "ledger.chain, position 3: gone"


def test_a_reference_is_named_by_its_text():
    rows = [memoryview(encode_row(7, text, ONE)) for text in ("acme-1", "Zürich-2")]
    link = ChainBuilder().add_references(rows)
    other = memoryview(encode_row(7, "Zürich-2", OTHER))
    found = changed_references(link, [rows[0], other])
    assert (found.table, found.row) == ("external_references", "reference Zürich-2")
    assert "changed" in found.problem
    assert "missing, behind reference acme-1" in changed_references(link, rows[:1]).problem


POSTED = [request_row(5, ONE), request_row(6, OTHER)]
UNPOSTED = [unposted_row(1, ONE), unposted_row(1, OTHER)]
SEALED = ChainBuilder(0, 6).add_requests(6, requests_of(POSTED, UNPOSTED))


@pytest.mark.parametrize(
    ("posted", "unposted", "row", "problem"),
    [
        ([POSTED[0], request_row(6, OTHER, text=b"")], UNPOSTED, f"request_id {OTHER}", "changed"),
        (POSTED[:1], UNPOSTED, "batch 6", f"missing, behind request_id {ONE}"),
        (POSTED[1:], UNPOSTED, "batch 6", "missing, the first"),
        ([*POSTED, request_row(6, UUID(int=3))], UNPOSTED, f"request_id {UUID(int=3)}", "added"),
        (POSTED, [UNPOSTED[0], unposted_row(1, OTHER, b"")], f"request_id {OTHER}", "changed"),
        (POSTED, UNPOSTED[1:], "batch 6", "missing, the first"),
        (POSTED, [*UNPOSTED, unposted_row(1, UUID(int=3))], f"request_id {UUID(int=3)}", "added"),
    ],
)
def test_a_request_is_named_by_its_id(posted, unposted, row, problem):
    found = changed_requests(SEALED, requests_of(posted, unposted))
    assert (found.table, found.row) == ("requests", row)
    assert problem in found.problem


def test_requests_that_fit_their_marks_are_the_chains_own_fault():
    found = changed_requests(replace(SEALED, digest=bytes(32)), requests_of(POSTED, UNPOSTED))
    assert (found.table, found.row) == ("chain", "position 1")
