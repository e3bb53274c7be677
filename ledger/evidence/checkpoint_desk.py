"""Signed checkpoints for whoever keeps them outside of the database: a list, and one with its key.

LedgerRefusal
└── UnknownCheckpoint           not_found: none was signed there
"""

import asyncio
from pathlib import Path
from typing import Any, Protocol

from ledger.errors import LedgerRefusal
from ledger.evidence.checkpoints import Checkpoint, document
from ledger.evidence.key_ring import KeyRing

BEHIND_ALL = 2**63 - 1


class UnknownCheckpoint(LedgerRefusal):
    """No checkpoint was signed at this position."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such checkpoint.")


class Kept(Protocol):
    """Where checkpoints are kept."""

    async def checkpoints(self, *, before: int, limit: int) -> list[Checkpoint]:
        """Checkpoints at lower positions than `before`, newest first."""


class CheckpointDesk:
    """Reads; the errors are the store's, and KeyRingError."""

    def __init__(self, kept: Kept, keys: Path) -> None:
        """`keys` is the folder of the key ring."""
        self._kept = kept
        self._keys = keys

    async def page(self, before: int | None, limit: int) -> list[Checkpoint]:
        """Checkpoints at lower positions than `before`, newest first."""
        return await self._kept.checkpoints(before=before or BEHIND_ALL, limit=limit)

    async def export(self, position: int | None) -> dict[str, Any]:
        """The checkpoint at a position, the newest without one, and the public key that it names,
        as `ledger checkpoints export` writes them. Without the key where this node has none of it.

        Raises UnknownCheckpoint.
        """
        before = BEHIND_ALL if position is None else position + 1
        found = await self._kept.checkpoints(before=before, limit=1)
        if not found or position not in (None, found[0].position):
            raise UnknownCheckpoint
        ring = await asyncio.to_thread(KeyRing.read, self._keys)
        key_id = found[0].key_id
        return document(found, {key_id: ring.trusted[key_id]} if key_id in ring.trusted else {})
