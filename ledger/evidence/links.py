"""The hash chain over the ledger: what a link is, and how its hash is made.

Each link covers one item: a batch (a row of event_log with its transactions and entries), seals of
accounts (what stood in the columns of accounts that are no balances), external references, or
requests, which are idempotency keys. Positions run from 1 without holes. A link's hash covers the
hash before it, so who changes an item has to make every later link anew, and then the signed
checkpoints no longer fit.

    item digest = SHA-256(tag, rows)
    hash        = SHA-256("sociallive.ledger.link.v1\\n", previous hash, position, kind, sequence,
                          requests_until of a link of requests, item digest, SHA-256(marks))

`marks` has the CRC-32 of every row of the item, in order, behind the number of transactions, or of
requests that posted something. They prove nothing: where a digest does not fit, they tell which row
it was.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from ledger.evidence.batches import Batch, batch_digest, batch_marks, marks_of
from ledger.evidence.requests import Requests, requests_digest, requests_marks

GENESIS = bytes(32)
"""The hash before the first link."""

_LINK_TAG = b"sociallive.ledger.link.v1\n"
_SEALS_TAG = b"sociallive.ledger.seals.v1\n"
_REFERENCES_TAG = b"sociallive.ledger.references.v1\n"
_PLACE = struct.Struct(">qcq")
_COUNT, _END = struct.Struct(">i"), struct.Struct(">q")


class LinkKind(StrEnum):
    """What a link covers."""

    BATCH = "batch"
    SEALS = "seals"
    REFERENCES = "references"
    REQUESTS = "requests"


_KIND_OCTET = {
    LinkKind.BATCH: b"B",
    LinkKind.SEALS: b"S",
    LinkKind.REFERENCES: b"R",
    LinkKind.REQUESTS: b"Q",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the chain. `sequence` is that of the batch, or for anything else of the last batch
    before; it therefore never falls along the chain.

    `requests_until`, of a link of requests alone, is the last batch whose requests it covers; the
    first is the one behind that of the link of requests before.
    """

    position: int
    kind: LinkKind
    sequence: int
    digest: bytes
    marks: bytes
    hash: bytes
    requests_until: int | None = None

    @property
    def rows(self) -> int:
        """How many rows it covers."""
        return len(self.marks) // 4 - 1

    def follows_from(self, previous: bytes) -> bool:
        """Whether the hash is that of this link behind `previous`."""
        return self.hash == link_hash(
            previous,
            position=self.position,
            kind=self.kind,
            sequence=self.sequence,
            digest=self.digest,
            marks=self.marks,
            requests_until=self.requests_until,
        )


def link_hash(
    previous: bytes,
    *,
    position: int,
    kind: LinkKind,
    sequence: int,
    digest: bytes,
    marks: bytes,
    requests_until: int | None = None,
) -> bytes:
    """The hash of a link that follows on one of hash `previous`."""
    place = _PLACE.pack(position, _KIND_OCTET[kind], sequence)
    if requests_until is not None:
        place += _END.pack(requests_until)
    return sha256(_LINK_TAG + previous + place + digest + sha256(marks).digest()).digest()


def seals_digest(seals: Sequence[memoryview]) -> bytes:
    """SHA-256 over the encoded seals, ordered by account_id, with their count."""
    return sha256(_SEALS_TAG + _COUNT.pack(len(seals)) + b"".join(seals)).digest()


def references_digest(references: Sequence[memoryview]) -> bytes:
    """SHA-256 over the encoded references, ordered by the octets of their text, and their count."""
    packed = _COUNT.pack(len(references)) + b"".join(references)
    return sha256(_REFERENCES_TAG + packed).digest()


class ChainBuilder:
    """Makes the links that follow on a head."""

    def __init__(self, position: int = 0, sequence: int = 0, head: bytes = GENESIS) -> None:
        self.position, self.sequence, self.head = position, sequence, head

    def add_batch(self, batch: Batch) -> Link:
        """The link of the next batch."""
        self.sequence = batch.sequence
        return self._add(LinkKind.BATCH, batch_digest(batch), batch_marks(batch))

    def add_seals(self, seals: Sequence[memoryview]) -> Link:
        """The link of seals of accounts."""
        return self._add(LinkKind.SEALS, seals_digest(seals), marks_of(seals))

    def add_references(self, references: Sequence[memoryview]) -> Link:
        """The link of external references."""
        return self._add(LinkKind.REFERENCES, references_digest(references), marks_of(references))

    def add_requests(self, until: int, requests: Requests) -> Link:
        """The link of the requests of batches up to `until`, and of some that posted nothing."""
        return self._add(
            LinkKind.REQUESTS, requests_digest(requests), requests_marks(requests), until
        )

    def _add(
        self, kind: LinkKind, digest: bytes, marks: bytes, requests_until: int | None = None
    ) -> Link:
        self.position += 1
        self.head = link_hash(
            self.head,
            position=self.position,
            kind=kind,
            sequence=self.sequence,
            digest=digest,
            marks=marks,
            requests_until=requests_until,
        )
        return Link(self.position, kind, self.sequence, digest, marks, self.head, requests_until)
