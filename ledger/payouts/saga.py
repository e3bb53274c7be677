"""The steps of a payout, each the answer to an event of its stream.

    payout.requested ─ check ──► approved, or flagged for an admin
    payout.approved  ─ hold ───► held, or failed where the earnings are gone
    payout.held      ─ send ───► sending, to a provider that takes them one by one; otherwise the
                                 next batch takes it. The check is asked once more before.
    payout.sending   ─ capture ► captured, or failed where the hold is gone
    payout.captured  ─ submit ─► sent, or failed where the provider refuses
    payout.settled   ─ clear ──► booked
    payout.failed, cancelled, rejected ─ undo ─► booked: the hold voided, or the amount given back
    payout.returned  ─ undo ───► booked: given back from where it was cleared

A step that finds the payout further than its event does nothing: it was done, or overtaken.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from config.payouts import PayoutSettings
from ledger.event_store.catalogue import EventData, StoredEvent
from ledger.payouts.books import Books
from ledger.payouts.check import ComplianceCheck, Verdict
from ledger.payouts.errors import ProviderContradicts, Unfunded
from ledger.payouts.events import (
    PayoutApproved,
    PayoutBooked,
    PayoutCancelled,
    PayoutCaptured,
    PayoutContradicted,
    PayoutFailed,
    PayoutFlagged,
    PayoutHeld,
    PayoutRejected,
    PayoutRequested,
    PayoutReturned,
    PayoutSending,
    PayoutSent,
    PayoutSettled,
)
from ledger.payouts.payout import Payout, advanced, payout_of
from ledger.payouts.provider import ManualProvider, PayoutProvider, Refused, order_of
from ledger.payouts.results import ResultSource
from ledger.payouts.states import PayoutAction, PayoutState
from ledger.payouts.store import Change, PayoutStore
from ledger.sagas.steps import GiveUp, Saga, Task

REACTIONS: Mapping[str, str] = MappingProxyType(
    {
        PayoutRequested.TYPE: "payout.check",
        PayoutApproved.TYPE: "payout.hold",
        PayoutHeld.TYPE: "payout.send",
        PayoutSending.TYPE: "payout.capture",
        PayoutCaptured.TYPE: "payout.submit",
        PayoutSettled.TYPE: "payout.clear",
        PayoutFailed.TYPE: "payout.undo",
        PayoutCancelled.TYPE: "payout.undo",
        PayoutRejected.TYPE: "payout.undo",
        PayoutReturned.TYPE: "payout.undo",
    }
)


class PayoutSteps:
    """Does the steps."""

    def __init__(
        self,
        settings: PayoutSettings,
        store: PayoutStore,
        *,
        books: Books,
        check: ComplianceCheck,
        providers: Mapping[str, PayoutProvider],
        clock: Callable[[], datetime],
    ) -> None:
        """`providers` by name: the one of the settings, and those that payouts may still be at."""
        self._store = store
        self._books = books
        self._check = check
        self._providers = providers
        self._settings = settings
        self._clock = clock

    def saga(self) -> Saga:
        """The steps, for the runner."""
        return Saga(
            "payout",
            REACTIONS,
            {
                "payout.check": self.check,
                "payout.hold": self.hold,
                "payout.send": self.send,
                "payout.capture": self.capture,
                "payout.submit": self.submit,
                "payout.clear": self.clear,
                "payout.undo": self.undo,
            },
        )

    async def check(self, task: Task, event: StoredEvent) -> None:
        """Judge a new payout."""
        payout = await self._payout(event, PayoutState.REQUESTED)
        if payout is None:
            return
        verdict = await self._check.judge(payout.user_id)
        if verdict.is_clear and payout.amount_minor >= self._settings.review_from_minor:
            verdict = Verdict(False, "The amount needs the approval of an admin.")
        if verdict.is_clear:
            await self._move(
                payout, PayoutAction.APPROVE, PayoutApproved("The check was clear.", None)
            )
        else:
            await self._flag(payout, verdict)

    async def hold(self, task: Task, event: StoredEvent) -> None:
        """Keep the amount back; not for longer than until it is seen that it was cancelled."""
        payout = await self._store.get(payout_of(event.stream_id))
        if payout.state is not PayoutState.APPROVED and not _cancelled_unheld(payout):
            return
        # Of the event, so that it is the same whenever the step is tried.
        expires_at = event.created_at + timedelta(days=self._settings.hold_days)
        try:
            # One that was stopped and approved again has its hold already.
            hold_id = payout.hold_id or await self._books.hold(payout, expires_at)
        except Unfunded as error:
            if payout.state is PayoutState.APPROVED:
                await self._fall_short(payout, error)
            return
        if payout.state is PayoutState.APPROVED:
            payout = await self._move(
                payout, PayoutAction.HOLD, PayoutHeld(hold_id), hold_id=hold_id
            )
        if _cancelled_unheld(payout):
            await self._books.void(replace(payout, hold_id=hold_id))

    async def send(self, task: Task, event: StoredEvent) -> None:
        """Begin to send it, where the provider takes payouts one by one."""
        payout = await self._payout(event, PayoutState.HELD)
        if payout is not None and self._providers[self._settings.provider].automatic:
            await self.begin_sending(payout)

    async def begin_sending(self, payout: Payout, batch_id: UUID | None = None) -> Payout | None:
        """From held to sending, or back to an admin where the check is not clear any more.

        What goes into a batch is paid by hand, whoever else may pay. None where that batch is full,
        or complete: its file may have been made without this one.
        """
        name = self._settings.provider if batch_id is None else ManualProvider.name
        verdict = await self._check.judge(payout.user_id)
        if not verdict.is_clear:
            return await self._flag(payout, verdict)
        now, data = self._clock(), PayoutSending(name, batch_id)
        change = _moving(payout, PayoutAction.SEND, data, now, provider=name, batch_id=batch_id)
        if batch_id is None:
            return await self._store.change(payout.payout_id, change, now)
        most = self._settings.batch_payouts
        return await self._store.change_into_batch(payout.payout_id, batch_id, most, change, now)

    async def capture(self, task: Task, event: StoredEvent) -> None:
        """Take the amount out of the user's hands, before anybody is told to pay."""
        payout = await self._payout(event, PayoutState.SENDING)
        if payout is None:
            return
        try:
            transaction_id = await self._books.capture(payout)
        except Unfunded as error:
            await self._fall_short(payout, error)
        else:
            await self._move(
                payout,
                PayoutAction.CAPTURE,
                PayoutCaptured(transaction_id),
                transaction_id=transaction_id,
            )

    async def submit(self, task: Task, event: StoredEvent) -> None:
        """Hand it to the provider; again and again under one key, while the answer is not known."""
        payout = await self._store.get(payout_of(event.stream_id))
        provider = self._providers.get(payout.provider or "")
        if payout.state is not PayoutState.CAPTURED:
            # Of a step that gave up an admin has heard: it counts its attempts anew.
            if payout.state is PayoutState.FAILED and provider is not None and task.attempts > 1:
                await self._failed_by_hand(payout, provider, "maybe taken by the provider before")
            return
        if provider is None:
            raise GiveUp(f"The provider {payout.provider} is not set up here any more.")
        try:
            answer = await provider.submit(order_of(payout))
        except ProviderContradicts as error:
            raise GiveUp(str(error)) from error
        if isinstance(answer, Refused):
            now_is = await self._move(
                payout,
                PayoutAction.FAIL,
                PayoutFailed(answer.reason, "provider", None),
                reason=answer.reason,
            )
            if now_is.state is PayoutState.SETTLED:
                raise GiveUp(f"The provider has told of a settlement, and refuses: {answer.reason}")
        else:
            now_is = await self._move(
                payout,
                PayoutAction.ACCEPT,
                PayoutSent(answer.reference),
                reference=answer.reference,
            )
            if now_is.state is PayoutState.FAILED:
                name = "" if answer.reference is None else f" as {answer.reference!r}"
                await self._failed_by_hand(now_is, provider, f"accepted by the provider{name}")

    async def _failed_by_hand(self, payout: Payout, provider: PayoutProvider, what: str) -> None:
        """Ask an admin to look at what is given back and may be paid, too: unless it is the
        provider who says that it failed, whose notice was faster than its answer."""
        history = await self._store.history(payout.payout_id)
        ends = (PayoutFailed, PayoutReturned)
        [failed] = [event.data for event in history if isinstance(event.data, ends)]
        if failed.source == ResultSource.PROVIDER or not provider.automatic:
            return
        why = f"{what}, but the payout is {payout.state}"
        data = PayoutContradicted(why, ResultSource.PROVIDER)
        if all(event.data != data for event in history):
            await self._store.note(payout.payout_id, data, self._clock(), attention=why)

    async def clear(self, task: Task, event: StoredEvent) -> None:
        """Book that it was paid."""
        payout = await self._store.get(payout_of(event.stream_id))
        await self._booked(payout, "cleared", await self._books.clear(payout))

    async def undo(self, task: Task, event: StoredEvent) -> None:
        """Give the amount back to the user: by the hold's end, or by a posting."""
        payout = await self._store.get(payout_of(event.stream_id))
        transaction_id = None
        if payout.state is PayoutState.RETURNED:
            transaction_id = await self._books.take_back(payout)
        elif payout.transaction_id is not None:
            transaction_id = await self._books.give_back(payout)
        elif payout.hold_id is not None:
            await self._books.void(payout)
        else:
            return
        await self._booked(payout, "given_back", transaction_id)

    async def _payout(self, event: StoredEvent, state: PayoutState) -> Payout | None:
        """The payout, while it is where the event left it."""
        payout = await self._store.get(payout_of(event.stream_id))
        return payout if payout.state is state else None

    async def _flag(self, payout: Payout, verdict: Verdict) -> Payout:
        return await self._move(payout, PayoutAction.FLAG, PayoutFlagged(verdict.reason, None))

    async def _fall_short(self, payout: Payout, error: Unfunded) -> None:
        reason = str(error)
        await self._move(
            payout, PayoutAction.FALL_SHORT, PayoutFailed(reason, "books", None), reason=reason
        )

    async def _move(
        self, payout: Payout, action: PayoutAction, data: EventData, **changes: Any
    ) -> Payout:
        """Do it unless somebody was faster; the payout as it is then."""
        now = self._clock()
        change = _moving(payout, action, data, now, **changes)
        return await self._store.change(payout.payout_id, change, now)

    async def _booked(self, payout: Payout, purpose: str, transaction_id: UUID | None) -> None:
        data = PayoutBooked(purpose, transaction_id)
        if all(event.data != data for event in await self._store.history(payout.payout_id)):
            await self._store.note(payout.payout_id, data, self._clock())


def _moving(
    payout: Payout, action: PayoutAction, data: EventData, now: datetime, **changes: Any
) -> Change:
    """The action, unless somebody was faster."""

    def change(current: Payout) -> tuple[Payout, EventData] | None:
        if current.state is not payout.state:
            return None
        return advanced(current, action, now, **changes), data

    return change


def _cancelled_unheld(payout: Payout) -> bool:
    """Whether it was cancelled while its hold was being placed: nobody knows of that hold."""
    return payout.state is PayoutState.CANCELLED and payout.hold_id is None
