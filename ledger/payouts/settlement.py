"""Results of payouts: from the provider's notices, from files, and from an admin's hand.

All three say the same in the end, and are judged alike: news is applied, what is known is passed
over, and what can't be true changes nothing but asks an admin to look. Their own word ends that.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ledger.errors import OwnMoney
from ledger.event_store.catalogue import EventData
from ledger.event_store.database import Database, Transaction
from ledger.payouts.errors import BadNotice, ContradictoryResult, UnknownPayout
from ledger.payouts.events import (
    PayoutConfirmed,
    PayoutContradicted,
    PayoutFailed,
    PayoutReturned,
    PayoutSettled,
)
from ledger.payouts.notices import Notice
from ledger.payouts.payout import Payout, advanced, noted, stream_of
from ledger.payouts.results import (
    ACTION_OF,
    Meaning,
    PayoutResult,
    ResultSource,
    ResultStatus,
    meaning,
)
from ledger.payouts.store import SQL, PayoutStore
from ledger.sagas.store import TaskStore

NO_REASON = "The payment provider gave no reason."


class SettlementDesk:
    """Takes results. Everything raises LedgerBusy."""

    def __init__(
        self,
        database: Database,
        store: PayoutStore,
        tasks: TaskStore,
        *,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._tasks = tasks
        self._wake = wake
        self._clock = clock

    async def record(
        self, result: PayoutResult, source: ResultSource, by: UUID | None = None
    ) -> tuple[Payout, Meaning]:
        """Apply a result; whether it was news or known.

        Raises UnknownPayout, OwnMoney where an admin speaks of a payout of their own, and
        ContradictoryResult after marking the payout: for an admin to look at, unless it is one's.
        """
        async with self._database.transaction() as transaction:
            payout, what, why = await self._apply(transaction, result, source, by)
        await self._after(payout.payout_id)
        if what is Meaning.CONTRADICTION:
            raise ContradictoryResult(f"This can't be: {why}.")
        return payout, what

    async def take_notice(self, provider: str, notice: Notice) -> Meaning:
        """Apply a provider's notice, once; a contradiction is kept for an admin, and taken.

        Raises BadNotice where the id was used for another notice, or for an unknown payout.
        """
        async with self._database.transaction() as transaction:
            what = await self._take_notice(transaction, provider, notice)
        # Of one that is known, too: the answer to it may have been that this could not be done.
        await self._after(notice.result.payout_id)
        return what

    async def _take_notice(
        self, transaction: Transaction, provider: str, notice: Notice
    ) -> Meaning:
        added = await transaction.execute(
            SQL["add_notice"],
            provider,
            notice.notice_id,
            notice.digest,
            notice.result.payout_id,
            self._clock(),
        )
        if not added:
            known = await transaction.first(SQL["notice"], provider, notice.notice_id)
            if known is None or known["digest"] != notice.digest:
                raise BadNotice("This id was used for another notice.")
            return Meaning.KNOWN
        try:
            _, what, _ = await self._apply(transaction, notice.result, ResultSource.PROVIDER, None)
        except UnknownPayout:
            raise BadNotice("payout_id: there is no such payout.") from None
        return what

    async def _apply(
        self,
        transaction: Transaction,
        result: PayoutResult,
        source: ResultSource,
        by: UUID | None,
    ) -> tuple[Payout, Meaning, str]:
        now = self._clock()
        judged = Meaning.KNOWN, ""
        came_back = result.status is ResultStatus.SETTLED and await self._store.came_back(
            transaction, result.payout_id
        )

        def change(payout: Payout) -> tuple[Payout, EventData] | None:
            nonlocal judged
            if source is ResultSource.ADMIN and payout.user_id == by:
                raise OwnMoney
            judged = meaning(payout, result, source, came_back=came_back)
            what, why = judged
            if what is Meaning.NEWS:
                return _applied(payout, result, source, by, now)
            if source is ResultSource.ADMIN:
                return _looked_at(payout, what, result, by, now)
            if what is Meaning.KNOWN or why == payout.attention:
                return None  # nor is an admin told twice
            return noted(payout, now, why), PayoutContradicted(why, source)

        payout = await self._store.change_in(transaction, result.payout_id, change, now)
        return payout, *judged

    async def _after(self, payout_id: UUID) -> None:
        """A result that is known is what a step that gave up was waiting for."""
        await self._tasks.revive_stream(stream_of(payout_id), self._clock())
        self._wake()


def _looked_at(
    payout: Payout, what: Meaning, result: PayoutResult, by: UUID | None, now: datetime
) -> tuple[Payout, EventData] | None:
    """What an admin says who tells no news: that it is as was known ends the question, if there is
    one. What can't be is refused to them, and is no question for another."""
    if what is Meaning.CONTRADICTION or payout.attention is None:
        return None
    return replace(noted(payout, now), attention=None), PayoutConfirmed(result.status, by)


def _applied(
    payout: Payout, result: PayoutResult, source: ResultSource, by: UUID | None, now: datetime
) -> tuple[Payout, EventData]:
    """The payout with a result that is news, and the event of it."""
    reason = result.reason or NO_REASON
    settled = result.status is ResultStatus.SETTLED
    changed = advanced(
        payout,
        ACTION_OF[result.status],
        now,
        reference=payout.reference or result.reference,
        reason=None if settled else reason,
    )
    if source is ResultSource.ADMIN:
        changed = replace(changed, attention=None)  # that is what they looked at it for
    data: EventData
    if settled:
        data = PayoutSettled(changed.reference, source, by)
    elif result.status is ResultStatus.RETURNED:
        data = PayoutReturned(reason, source, by)
    else:
        data = PayoutFailed(reason, source, by)
    return changed, data
