"""The door into the ledger: judges a request, posts it in one call, and answers or refuses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any, Literal, Protocol
from uuid import UUID

from config.ledger import LedgerSettings
from ledger.accounts import AccountCode, TrialBalance
from ledger.errors import (
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    InvalidCount,
    InvalidReason,
    LedgerBusy,
    LedgerRefusal,
    OwnStream,
    UnknownGift,
)
from ledger.gifts import Gift, GiftReceipt, GiftRequest, catalogue
from ledger.grants import MAX_REASON_CHARS, GrantReceipt, GrantRequest
from ledger.statements import Statement, Wallet, page
from ledger.store import LedgerStore
from ledger.transfer import Terms, TransferResult, check_gift, check_grant, quote_gift


class LatencyObserver(Protocol):
    """Takes the time of every call, for histograms."""

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        """`operation`: gift, grant, wallet, statement or trial_balance.

        `outcome`: ok, posted, repeated, a refusal's code, or error.
        """


@dataclass(slots=True)
class _Call:
    """One call under way."""

    outcome: str = "ok"


class LedgerService:
    """Gifts, grants, wallets and statements.

    Every method raises LedgerBusy when the database is away or too many calls wait for it.
    """

    def __init__(
        self,
        settings: LedgerSettings,
        store: LedgerStore,
        *,
        wake: Callable[[], None],
        observer: LatencyObserver,
    ) -> None:
        """`wake` is called after every posting: there is an event to publish."""
        self._settings = settings
        self._store = store
        self._wake = wake
        self._observer = observer
        self._in_flight = 0
        self._terms = Terms(
            gifts=catalogue(settings.gifts),
            max_count=settings.max_gift_count,
            fee_basis_points=settings.fee_basis_points,
            max_grant_minor=settings.max_grant_minor,
        )
        self._refusals: dict[TransferResult, Callable[[], LedgerRefusal]] = {
            TransferResult.UNKNOWN_GIFT: UnknownGift,
            TransferResult.INVALID_COUNT: partial(InvalidCount, settings.max_gift_count),
            TransferResult.OWN_STREAM: OwnStream,
            TransferResult.INVALID_AMOUNT: partial(InvalidAmount, settings.max_grant_minor),
            TransferResult.INVALID_REASON: partial(InvalidReason, MAX_REASON_CHARS),
            TransferResult.IDEMPOTENCY_MISMATCH: IdempotencyMismatch,
        }

    @property
    def catalogue(self) -> tuple[Gift, ...]:
        """The gifts on sale."""
        return tuple(self._terms.gifts.values())

    @property
    def max_count(self) -> int:
        """Most pieces of a gift in one request."""
        return self._settings.max_gift_count

    @property
    def currency(self) -> str:
        """Currency of every amount."""
        return self._settings.currency

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._in_flight

    async def send_gift(self, request: GiftRequest) -> GiftReceipt:
        """Post a gift, once however often the same request comes.

        Raises UnknownGift, InvalidCount, OwnStream, IdempotencyMismatch, InsufficientFunds.
        """
        with self._call("gift") as call:
            self._refuse(check_gift(request, self._terms))
            quote = quote_gift(request, self._terms)
            result, answer = await self._store.post_gift(request, quote)
            if result is TransferResult.INSUFFICIENT_FUNDS:
                raise InsufficientFunds(answer["balance_minor"], quote.total_minor)
            repeated = self._posted(result, call)
            return _gift_receipt(answer, repeated=repeated)

    async def grant(
        self,
        *,
        request_id: UUID,
        user_id: UUID,
        amount_minor: int,
        reason: str,
        granted_by: UUID,
    ) -> GrantReceipt:
        """Issue coins to a user, once however often the same request comes from `granted_by`.

        Raises InvalidAmount, InvalidReason, IdempotencyMismatch.
        """
        request = GrantRequest(request_id, user_id, amount_minor, reason, granted_by)
        with self._call("grant") as call:
            self._refuse(check_grant(request, self._terms))
            result, answer = await self._store.post_grant(request)
            repeated = self._posted(result, call)
            return GrantReceipt(
                transaction_id=UUID(answer["transaction_id"]),
                balance_minor=answer["balance_minor"],
                currency=answer["currency"],
                repeated=repeated,
            )

    async def wallet(self, user_id: UUID) -> Wallet:
        """What the user can spend and has earned; zeros for someone the ledger never met."""
        with self._call("wallet"):
            return await self._store.wallet(user_id)

    async def statement(
        self,
        user_id: UUID,
        *,
        account: Literal["wallet", "earnings"],
        cursor: str | None,
        limit: int,
    ) -> Statement:
        """A page of the user's entries, newest first; `limit` is at most 100.

        Raises InvalidPage.
        """
        with self._call("statement"):
            return await self._store.statement(user_id, AccountCode(account), page(cursor, limit))

    async def trial_balance(self) -> TrialBalance:
        """All balances by account code, and whether debits equal credits."""
        with self._call("trial_balance"):
            return await self._store.trial_balance()

    def _refuse(self, result: TransferResult) -> None:
        """Raise the refusal that `result` stands for, if it is one."""
        if result in self._refusals:
            raise self._refusals[result]()

    def _posted(self, result: TransferResult, call: _Call) -> bool:
        """Whether the posting is a repeated one; raises where it was refused."""
        self._refuse(result)
        call.outcome = result.value
        self._wake()  # repeated or not: the answer to the first may have been lost on its way
        return result is TransferResult.REPEATED

    @contextmanager
    def _call(self, operation: str) -> Iterator[_Call]:
        """Count and time a call; refuse it where too many are under way."""
        call = _Call()
        started = perf_counter()
        self._in_flight += 1
        try:
            if self._in_flight > self._settings.max_in_flight:
                raise LedgerBusy
            yield call
        except LedgerRefusal as refusal:
            call.outcome = refusal.code
            raise
        except BaseException:
            call.outcome = "error"
            raise
        finally:
            self._in_flight -= 1
            self._observer.observe(operation, perf_counter() - started, call.outcome)


def _gift_receipt(answer: dict[str, Any], *, repeated: bool) -> GiftReceipt:
    return GiftReceipt(
        request_id=UUID(answer["request_id"]),
        transaction_id=UUID(answer["transaction_id"]),
        gift_id=answer["gift_id"],
        count=answer["count"],
        total_minor=answer["total_minor"],
        currency=answer["currency"],
        balance_minor=answer["balance_minor"],
        posted_at=datetime.fromisoformat(answer["posted_at"]).astimezone(UTC),
        repeated=repeated,
    )
