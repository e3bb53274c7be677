"""The hash chain over the ledger: what a link is, and how its hash is made.

Each link covers one item: a batch (a row of event_log with its transactions and entries), seals of
accounts (what stood in the columns of accounts that are no balances), or external references.
Positions run from 1 without holes. A link's hash covers the hash before it, so who changes an item
has to make every later link anew, and then the signed checkpoints no longer fit.

    item digest = SHA-256(tag, rows)
    hash        = SHA-256("sociallive.ledger.link.v1\\n", previous hash, position, kind, sequence,
                          item digest, SHA-256(marks))

`marks` has the CRC-32 of every row of the item, in order, behind the number of transactions. They
prove nothing: where a digest does not fit, they tell which row it was.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from ledger.evidence.batches import Batch, batch_digest, batch_marks, marks_of

GENESIS = bytes(32)
"""The hash before the first link."""

_LINK_TAG = b"sociallive.ledger.link.v1\n"
_SEALS_TAG = b"sociallive.ledger.seals.v1\n"
_REFERENCES_TAG = b"sociallive.ledger.references.v1\n"
_PLACE = struct.Struct(">qcq")
_COUNT = struct.Struct(">i")


class LinkKind(StrEnum):
    """What a link covers."""

    BATCH = "batch"
    SEALS = "seals"
    REFERENCES = "references"


_KIND_OCTET = {LinkKind.BATCH: b"B", LinkKind.SEALS: b"S", LinkKind.REFERENCES: b"R"}


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the chain. `sequence` is that of the batch, or for anything else of the last batch
    before; it therefore never falls along the chain.
    """

    position: int
    kind: LinkKind
    sequence: int
    digest: bytes
    marks: bytes
    hash: bytes

    def follows_from(self, previous: bytes) -> bool:
        """Whether the hash is that of this link behind `previous`."""
        return self.hash == link_hash(
            previous,
            position=self.position,
            kind=self.kind,
            sequence=self.sequence,
            digest=self.digest,
            marks=self.marks,
        )


def link_hash(
    previous: bytes, *, position: int, kind: LinkKind, sequence: int, digest: bytes, marks: bytes
) -> bytes:
    """The hash of a link that follows on one of hash `previous`."""
    place = _PLACE.pack(position, _KIND_OCTET[kind], sequence)
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

    def _add(self, kind: LinkKind, digest: bytes, marks: bytes) -> Link:
        self.position += 1
        self.head = link_hash(
            self.head,
            position=self.position,
            kind=kind,
            sequence=self.sequence,
            digest=digest,
            marks=marks,
        )
        return Link(self.position, kind, self.sequence, digest, marks, self.head)
