"""The door into the ledger: judges a request, posts it in one call, and answers or refuses."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import orjson
import uuid_utils
from uuid_utils.compat import uuid7

from config.ledger import LedgerSettings
from ledger.accounts import AccountCode, TrialBalance
from ledger.batcher import Commit, GroupCommit
from ledger.door import REFUSALS, Call, Door, LatencyObserver, outcome_of
from ledger.earnings import EarningsService
from ledger.errors import (
    InsufficientFunds,
    InvalidAmount,
    InvalidCount,
    LedgerBusy,
    LedgerRefusal,
)
from ledger.gifts import (
    Gift,
    GiftReceipt,
    GiftRequest,
    PreparedGift,
    SettledGift,
    catalogue,
    prepare,
)
from ledger.grants import GrantReceipt, GrantRequest, grant_event, grant_posting
from ledger.holds import HoldService
from ledger.money import MAX_MINOR, is_amount
from ledger.postings import Leg, Posting, PostingReceipt, receipt, request_hash, to_document
from ledger.reversals import ReversalService
from ledger.statements import ALWAYS, Period, Statement, StatementAccount, Wallet, page
from ledger.store import LedgerStore
from ledger.store.writer import GiftWriter
from ledger.transfer import (
    Terms,
    TransferResult,
    check_gift,
    check_grant,
    check_postings,
    is_line,
    quote_gift,
)

__all__ = ["LatencyObserver", "LedgerService"]

ARCHIVE_EVERY = timedelta(days=1)
ARCHIVE_BLOCKS = 256
"""Of requests that are looked through at once: 2 MB, some ten thousand."""

MOST_QUOTES = 1_000
"""Kept; the same few gifts are asked for again and again."""
POSTED, REPEATED = TransferResult.POSTED, TransferResult.REPEATED


class LedgerService:
    """Gifts, grants, purchases and other postings; wallets and statements.

    `holds`, `reversals` and `earnings` are doors of their own.

    Every method raises LedgerBusy when the database is away or too many calls wait for it. Requests
    are known by their caller and id: an equal one gets the first answer again, another one under
    the same id is refused as IdempotencyMismatch, one from too long ago as RequestExpired.
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
        self._door = Door(settings, observer)
        self.holds = HoldService(store.movements, self._door, settings.currency, wake)
        self.reversals = ReversalService(store.movements, self._door, wake)
        self.earnings = EarningsService(store.movements, self._door, settings.currency, wake)
        self._gifts = GroupCommit[PreparedGift, SettledGift](
            [self._waking(writer) for writer in store.writers],
            key=lambda gift: gift.payer_id.int,
            most=settings.max_batch,
            most_waiting=settings.max_in_flight,
        )
        self._terms = Terms(
            gifts=catalogue(settings.gifts),
            max_count=settings.max_gift_count,
            fee_basis_points=settings.fee_basis_points,
            max_grant_minor=settings.max_grant_minor,
        )
        self._quote = lru_cache(MOST_QUOTES)(partial(quote_gift, terms=self._terms))

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
        """Currency of gifts and wallets."""
        return self._settings.currency

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._door.in_flight

    async def check(self) -> None:
        """Raise LedgerBusy while the database has no room for postings, with the error as cause."""
        if (error := self._store.calls.exhaustion.error) is not None:
            raise LedgerBusy from error

    async def close(self) -> None:
        """Take no more gifts, answer those that wait, and give the writer's connection up."""
        await self._gifts.close()
        for writer in self._store.writers:
            await writer.close()

    async def send_gift(self, request: GiftRequest) -> GiftReceipt:
        """Post a gift, once however often the same request comes.

        Raises UnknownGift, InvalidCount, OwnStream, IdempotencyMismatch, RequestExpired,
        AccountClosed, InsufficientFunds, AmountTooLarge.
        """
        started = self._door.enter("gift")
        outcome: str = POSTED
        try:
            refused = check_gift(request, self._terms)
            if refused is not TransferResult.ADMITTED:
                given = await self._given_before(request, refused)
                outcome = REPEATED
                return given
            quote = self._quote(request.gift_id, request.count)
            settled = await self._gifts.submit(
                prepare(
                    request,
                    split=quote.split,
                    currency=self._settings.currency,
                    description=quote.description,
                    transaction_id=(transaction_id := uuid7()),
                    event_id=str(uuid_utils.uuid7()),
                )
            )
            if settled.result is POSTED and settled.posted_at is not None:
                return GiftReceipt(
                    request.request_id,
                    transaction_id,
                    request.gift_id,
                    request.count,
                    quote.total_minor,
                    self._settings.currency,
                    settled.balance_minor,
                    settled.posted_at,
                    False,
                )
            if settled.result is TransferResult.INSUFFICIENT_FUNDS:
                raise InsufficientFunds(settled.balance_minor, quote.total_minor)
            if settled.result == LedgerBusy.code:
                raise LedgerBusy
            if settled.result is not REPEATED:
                raise REFUSALS[TransferResult(settled.result)]({})
            outcome = REPEATED
            return _repeated(request, orjson.loads(settled.answer or "{}"))
        except BaseException as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._door.leave("gift", started, outcome)

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
        with self._door.call("grant") as call:
            refused = check_grant(request, self._terms)
            if refused is TransferResult.ADMITTED:
                document = to_document(
                    grant_posting(request, self.currency), grant_event(request, self.currency)
                )
                posted = await self._post(
                    call, granted_by, request_id, request.request_hash(), [document]
                )
            else:
                posted = await self._granted_before(call, request, refused)
            leg = posted.transactions[0].legs[0]
            return GrantReceipt(
                posted.transaction_id, leg.balance_minor or 0, leg.currency, posted.repeated
            )

    async def credit_purchase(
        self,
        *,
        caller_id: UUID,
        request_id: UUID,
        user_id: UUID,
        amount_minor: int,
        reference: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> PostingReceipt:
        """Coins that were paid for, to the buyer's wallet; `reference` is the provider's.

        Raises InvalidAmount, DuplicateReference, AccountClosed, IdempotencyMismatch.
        """
        if not is_amount(amount_minor, at_most=MAX_MINOR):
            raise InvalidAmount(MAX_MINOR)
        clearing = AccountCode.PAYMENT_CLEARING
        return await self.post(
            caller_id=caller_id,
            request_id=request_id,
            postings=[
                Posting(
                    kind="purchase",
                    description="Coins bought",
                    legs=(
                        Leg(user_id, AccountCode.WALLET, amount_minor, self.currency),
                        Leg(None, clearing, -amount_minor, self.currency),
                    ),
                    metadata=metadata,
                    reference=reference,
                )
            ],
        )

    async def post(
        self, *, caller_id: UUID, request_id: UUID, postings: Sequence[Posting]
    ) -> PostingReceipt:
        """Post linked postings in one transaction of the database: all, or none.

        Raises InvalidPosting, InvalidReason, InvalidLabel, InvalidAmount, UnknownAccount,
        UnknownCurrency, AccountClosed, DuplicateReference, InsufficientFunds, AmountTooLarge,
        IdempotencyMismatch.
        """
        with self._door.call("posting") as call:
            call.settle(check_postings(postings), {})
            documents = [to_document(posting) for posting in postings]
            return await self._post(
                call, caller_id, request_id, request_hash("post", documents), documents
            )

    async def archive_requests(self, now: datetime) -> int:
        """Empty the answers of requests that nobody may repeat any more, in a round a day; says of
        how many.

        Whichever node asks goes on where the round was, whoever began it.
        """
        before = now - timedelta(days=self._settings.request_days)
        archived, is_over = 0, False
        while not is_over:
            emptied, is_over = await self._store.archive_answers(
                before, every=ARCHIVE_EVERY, blocks=ARCHIVE_BLOCKS
            )
            archived += emptied
        return archived

    async def wallet(self, user_id: UUID) -> Wallet:
        """What the user can spend and has earned; zeros for someone the ledger never met."""
        with self._door.call("wallet"):
            return await self._store.wallet(user_id)

    async def statement(
        self,
        user_id: UUID,
        *,
        account: StatementAccount,
        cursor: str | None,
        limit: int,
        period: Period = ALWAYS,
    ) -> Statement:
        """A page of the user's entries of the period, newest first; `limit` is at most 1,000.

        Raises InvalidPage.
        """
        with self._door.call("statement"):
            asked = page(cursor, limit, period)
            return await self._store.statement(user_id, AccountCode(account), asked)

    async def balance_at(self, owner_id: UUID | None, *, account: AccountCode, at: datetime) -> int:
        """What an account had at an instant, entries of that instant included; 0 before the first.

        `owner_id` is None for the house's accounts.
        """
        with self._door.call("balance"):
            return await self._store.balance_at(owner_id, account, at)

    async def scale(self) -> int:
        """Digits behind the point of the ledger's currency."""
        with self._door.call("balance"):
            return await self._store.scale(self.currency)

    async def trial_balance(self) -> TrialBalance:
        """All balances by account code, and whether debits equal credits."""
        with self._door.call("trial_balance"):
            return await self._store.trial_balance()

    async def _post(
        self,
        call: Call,
        caller_id: UUID,
        request_id: UUID,
        hash_: bytes,
        documents: list[dict[str, Any]],
    ) -> PostingReceipt:
        return self._answered(
            call, *await self._store.post(caller_id, request_id, hash_, documents)
        )

    def _answered(
        self, call: Call, result: TransferResult, answer: Mapping[str, Any]
    ) -> PostingReceipt:
        repeated = call.settle(result, answer)
        self._wake()  # repeated or not: the answer to the first may have been lost on its way
        return receipt(answer, repeated=repeated)

    def _waking(self, writer: GiftWriter) -> Commit[PreparedGift, SettledGift]:
        """Its way to commit; the publisher is woken for each batch."""

        async def commit(gifts: Sequence[PreparedGift]) -> Sequence[SettledGift]:
            settled = await writer.post(gifts)
            # A repeated one, too: the answer to the first may have been lost on its way.
            if any(gift.result in {POSTED, REPEATED} for gift in settled):
                self._wake()
            return settled

        return commit

    async def _given_before(self, request: GiftRequest, refused: TransferResult) -> GiftReceipt:
        """The first answer to a gift that would be refused today; else raises that refusal."""
        known = None
        if isinstance(request.gift_id, str) and is_amount(request.count, at_most=MAX_MINOR):
            known = await self._store.first_answer(
                request.payer_id, request.request_id, request.request_hash()
            )
        result, answer = known or (refused, {})
        if result is REPEATED:
            self._wake()
            return _repeated(request, answer)
        raise self._refusal(result)

    async def _granted_before(
        self, call: Call, request: GrantRequest, refused: TransferResult
    ) -> PostingReceipt:
        """The first answer to a grant that would be refused today; else raises that refusal."""
        known = None
        if is_amount(request.amount_minor, at_most=MAX_MINOR) and is_line(request.reason):
            known = await self._store.first_answer(
                request.granted_by, request.request_id, request.request_hash()
            )
        result, answer = known or (refused, {})
        if result is TransferResult.INVALID_AMOUNT:
            raise InvalidAmount(self._settings.max_grant_minor)
        return self._answered(call, result, answer)

    def _refusal(self, result: TransferResult) -> LedgerRefusal:
        if result is TransferResult.INVALID_COUNT:
            return InvalidCount(self._settings.max_gift_count)
        return REFUSALS[result]({})


def _repeated(request: GiftRequest, answer: Mapping[str, Any]) -> GiftReceipt:
    """The first answer; what the request names is equal in both."""
    return GiftReceipt(
        request_id=request.request_id,
        transaction_id=UUID(answer["transaction_id"]),
        gift_id=request.gift_id,
        count=request.count,
        total_minor=answer["total_minor"],
        currency=answer["currency"],
        balance_minor=answer["balance_minor"],
        posted_at=datetime.fromisoformat(answer["posted_at"]).astimezone(UTC),
        repeated=True,
    )
