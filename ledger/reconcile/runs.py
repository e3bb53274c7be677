"""A run of reconciliation, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class RunKind(StrEnum):
    """What was compared."""

    INTERNAL = "internal"
    """The ledger with itself, with purchases and with what it published."""

    SETTLEMENT = "settlement"
    """A payment provider's file with the ledger."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference: which check found it, on what, and why it is one."""

    check: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A finished run. `source` is the provider of a file; `details` are counts by name."""

    reconciliation_id: UUID
    kind: RunKind
    source: str
    file_hash: bytes | None
    started_by: UUID | None
    started_at: datetime
    finished_at: datetime
    checked: int
    matched: int
    differences: int
    details: Mapping[str, Any]
