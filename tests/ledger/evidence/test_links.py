"""The chain: every octet of an item and every field of a link is in the hash."""

from dataclasses import replace

import pytest

from ledger.evidence.batches import Batch, batch_digest
from ledger.evidence.encoding import encode_row
from ledger.evidence.links import (
    GENESIS,
    ChainBuilder,
    LinkKind,
    link_hash,
    references_digest,
    seals_digest,
)
from ledger.evidence.requests import requests_digest
from tests.support.evidence import ONE, batch, request_row, requests_of, unposted_row

REQUESTS = requests_of([request_row()], [unposted_row()])


def test_known_hashes():
    builder = ChainBuilder()
    first = builder.add_batch(batch())
    assert (first.position, first.sequence, len(first.marks)) == (1, 5, 4 * 5)
    assert first.digest.hex() == (
        "5fd9803cadc1caa9ac0ec2b5c537d73db0bc10e70860f392808e8d681b39e381"
    )
    assert first.hash.hex() == ("66a14dc5be713445167a83cdded47bf9c492f07746a2c3038a3fe0400a419a99")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", 2),
        ("kind", LinkKind.SEALS),
        ("sequence", 6),
        ("digest", bytes(32)),
        ("marks", b""),
        ("hash", bytes(32)),
        ("requests_until", 5),
    ],
)
def test_every_field_of_a_link_is_in_its_hash(field, value):
    link = ChainBuilder().add_batch(batch())
    assert link.follows_from(GENESIS)
    assert not link.follows_from(bytes([1]) * 32)
    assert not replace(link, **{field: value}).follows_from(GENESIS)


@pytest.mark.parametrize("until", [None, 4, 6])
def test_how_far_a_link_of_requests_goes_is_in_its_hash(until):
    link = ChainBuilder(sequence=9).add_requests(5, REQUESTS)
    assert (link.kind, link.sequence, link.requests_until, link.rows) == ("requests", 9, 5, 2)
    assert link.follows_from(GENESIS)
    assert not replace(link, requests_until=until).follows_from(GENESIS)


def test_links_follow_on_each_other():
    builder = ChainBuilder()
    seals = [memoryview(encode_row(0, ONE, "wallet"))]
    links = [
        builder.add_batch(batch(3)),
        builder.add_seals(seals),
        builder.add_references(seals),
        builder.add_batch(batch(9)),
        builder.add_requests(7, REQUESTS),
    ]
    assert [(link.position, link.kind, link.sequence) for link in links] == [
        (1, "batch", 3),
        (2, "seals", 3),
        (3, "references", 3),
        (4, "batch", 9),
        (5, "requests", 9),
    ]
    heads = [GENESIS, *(link.hash for link in links)]
    assert all(link.follows_from(head) for link, head in zip(links, heads, strict=False))
    assert (builder.position, builder.sequence, builder.head) == (5, 9, links[-1].hash)


def test_a_builder_goes_on_where_another_stopped():
    whole = ChainBuilder()
    first, second = whole.add_batch(batch(3)), whole.add_batch(batch(4))
    assert ChainBuilder(1, 3, first.hash).add_batch(batch(4)) == second


def test_items_of_two_kinds_never_share_a_hash():
    rows = [memoryview(encode_row(0, ONE))]
    digests = {
        seals_digest(rows),
        references_digest(rows),
        requests_digest(requests_of(rows, ())),
        requests_digest(requests_of((), rows)),
        batch_digest(Batch(0, (), rows, memoryview(b""))),
    }
    assert len(digests) == 5
    fields = {"position": 1, "sequence": 0, "digest": bytes(32), "marks": b""}
    assert len({link_hash(GENESIS, kind=kind, **fields) for kind in LinkKind}) == len(LinkKind)
