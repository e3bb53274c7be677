"""What a verification reads of the ledger."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledger.evidence.batches import Streams
from ledger.evidence.chart_check import ChartRow
from ledger.evidence.checkpoints import Checkpoint
from ledger.evidence.holds import HoldRow
from ledger.evidence.links import Link
from ledger.evidence.replay import AccountRow


class Snapshot(Protocol):
    """One moment of the ledger."""

    def accounts(self) -> AsyncIterator[tuple[UUID, str, bool]]:
        """Every account: its id, its currency, and whether it is guarded."""

    def account_rows(self) -> AsyncIterator[AccountRow]:
        """Every account as it stands."""

    def hold_rows(self) -> AsyncIterator[HoldRow]:
        """Every hold as it stands."""

    async def scales(self) -> list[tuple[str, int]]:
        """Every currency with its scale."""

    async def descriptions(self) -> list[tuple[UUID, str]]:
        """Every account that has metadata, with its digest."""

    async def unlike_what_reverses(self, limit: int) -> list[tuple[UUID, str]]:
        """Reversals that are not what reverses comes to, each with what is wrong."""

    async def uncovered_requests(self, limit: int) -> list[UUID]:
        """Requests that no link covers and none will."""

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""

    async def next_sequences(self, after: int) -> list[tuple[int, datetime]]:
        """The next some hundred sequences in the log behind `after`, and when they were posted."""


class Books(Protocol):
    """What is read."""

    async def links(self, after: int, limit: int) -> list[Link]:
        """Links behind position `after`, in order."""

    async def batch_links(self, after: int, until: int) -> list[Link]:
        """Links of the batches with sequences in (after, until]."""

    async def seals(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded seals of the links at positions in (after, until]."""

    async def references(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded external references of the links at positions in (after, until]."""

    async def uncovered_references(self, limit: int) -> list[str]:
        """External references that no link covers."""

    async def request_links(self, after: int, limit: int) -> list[Link]:
        """Links of requests behind position `after`, in order."""

    async def posted_requests(self, after: int, until: int) -> memoryview:
        """The encoded requests of the batches with sequences in (after, until]."""

    async def unposted_requests(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded requests that posted nothing of the links at positions in (after, until]."""

    async def checkpoints(self) -> list[Checkpoint]:
        """Every checkpoint that is kept."""

    async def hashes_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The hashes of the links at these positions."""

    async def chart(self) -> list[ChartRow]:
        """The chart of accounts."""

    async def stray_seals(self, limit: int) -> list[tuple[UUID, int]]:
        """Seals at positions where no link covers seals."""

    async def seals_of_another_kind(self, limit: int) -> list[tuple[UUID, int]]:
        """Accounts whose seals differ in what never changes."""

    async def stray_reference_seals(self, limit: int) -> list[tuple[str, int]]:
        """Seals of references where no link covers them, or of references that are not there."""

    async def stray_request_seals(self, limit: int) -> list[tuple[UUID, int]]:
        """As of references, of requests that posted nothing."""

    async def unlike_their_seal(self, limit: int) -> list[tuple[UUID, str]]:
        """Accounts that are not as they were sealed, each with what is wrong."""

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """The ledger at one moment."""
