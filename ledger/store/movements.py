"""Holds, reversals and earnings in the books: each call is one function of the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from config.sql import load_queries
from ledger.accounts import AccountCode
from ledger.holds import HoldNote, OpenHold
from ledger.store.calls import Calls
from ledger.transfer import TransferResult

SQL = load_queries("ledger", "sql/holds.sql")

Answered = tuple[TransferResult, dict[str, Any]]
Key = tuple[UUID, UUID, bytes]
"""Caller, request, and the hash of the request."""


class MovementBooks:
    """What `ledger.holds`, `ledger.reversals` and `ledger.earnings` ask of the books."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def place_hold(self, key: Key, fields: Mapping[str, Any]) -> Answered:
        """The hold, or the details of a refusal."""
        return await self._calls.ask(
            SQL["place_hold"],
            *key,
            fields["owner_id"],
            fields["code"],
            fields["currency"],
            fields["amount_minor"],
            fields["expires_at"],
            fields["reason"],
            fields["metadata"],
        )

    async def capture_hold(self, key: Key, fields: Mapping[str, Any]) -> Answered:
        """The posting and the hold, or the details of a refusal."""
        return await self._calls.ask(
            SQL["capture_hold"],
            *key,
            fields["hold_id"],
            fields["amount_minor"],
            fields["owner_id"],
            fields["code"],
            fields["currency"],
            fields["posting"],
        )

    async def void_hold(self, key: Key, hold_id: UUID) -> Answered:
        """The hold, or the details of a refusal."""
        return await self._calls.ask(SQL["void_hold"], *key, hold_id)

    async def expire_holds(self, limit: int) -> int:
        """Close holds that are due; says how many."""
        return int((await self._calls.fetchrow(SQL["expire_holds"], limit))["expired"])

    async def open_holds(self, owner_id: UUID, currency: str, limit: int) -> tuple[OpenHold, ...]:
        """Those that end first before the others."""
        rows = await self._calls.fetch(SQL["open_holds"], owner_id, currency, limit)
        return tuple(OpenHold(**{**row, "code": AccountCode(row["code"])}) for row in rows)

    async def hold_note(self, hold_id: UUID) -> HoldNote | None:
        """Whose a hold is, and what was noted with it, if there is such."""
        rows = await self._calls.fetch(SQL["hold_note"], hold_id)
        return HoldNote(**rows[0]) if rows else None

    async def reverse(self, key: Key, fields: Mapping[str, Any]) -> Answered:
        """The posting, or the details of a refusal."""
        return await self._calls.ask(
            SQL["reverse"],
            *key,
            fields["transaction_id"],
            fields["amount_minor"],
            fields["shortfall"],
            fields["posting"],
        )

    async def mature_earnings(
        self, currency: str, before: datetime, after: UUID, limit: int, description: str
    ) -> tuple[UUID | None, int]:
        """The last streamer that was looked at, None at the end, and how many got something."""
        row = await self._calls.fetchrow(
            SQL["mature_earnings"], currency, before, after, limit, description
        )
        return row["last_owner"], row["matured"]

    async def close_account(
        self, owner_id: UUID, code: AccountCode, currency: str
    ) -> TransferResult:
        """Close an empty account, or say why not."""
        result, _ = await self._calls.ask(SQL["close_account"], owner_id, code, currency)
        return result
