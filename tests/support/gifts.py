"""Gifts for the tests of compliance, as activity and as published events."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from compliance.aml.features import GiftActivity
from ledger.events import CoinsGranted, GiftSent, LedgerEvent, batch_to_json
from ledger.outbox import LogBatch

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def account(number: int) -> UUID:
    return UUID(int=number)


def gift(
    at_s: float = 0, *, payer: int = 1, payee: int = 2, amount: int = 10, number: int | None = None
) -> GiftActivity:
    """One gift, `at_s` seconds after START."""
    return GiftActivity(
        event_id=uuid4() if number is None else UUID(int=number),
        transaction_id=uuid4(),
        payer_id=account(payer),
        payee_id=account(payee),
        amount_minor=amount,
        occurred_at=START + timedelta(seconds=at_s),
    )


def gift_event(gift: GiftActivity) -> LedgerEvent:
    """The event that the ledger would have published for `gift`."""
    return LedgerEvent(
        event_id=gift.event_id,
        sequence=1,
        type="gift.sent",
        version=1,
        occurred_at=gift.occurred_at,
        data=GiftSent(
            transaction_id=gift.transaction_id,
            request_id=uuid4(),
            stream_id=uuid4(),
            payer_id=gift.payer_id,
            payer_name="Ada",
            payee_id=gift.payee_id,
            gift_id="rose",
            count=1,
            total_minor=gift.amount_minor,
            fee_minor=0,
            currency="COIN",
            payer_balance_minor=0,
            payee_balance_minor=0,
        ),
    )


def grant_event(at_s: float = 0) -> LedgerEvent:
    """An event that the checks read, and that has no effect."""
    return LedgerEvent(
        event_id=uuid4(),
        sequence=1,
        type="coins.granted",
        version=1,
        occurred_at=START + timedelta(seconds=at_s),
        data=CoinsGranted(
            transaction_id=uuid4(),
            request_id=uuid4(),
            user_id=account(1),
            granted_by=account(9),
            amount_minor=100,
            currency="COIN",
            balance_minor=100,
            reason="welcome",
        ),
    )


def batch(*gifts: GiftActivity) -> bytes:
    """One entry's payload."""
    return batch_to_json([gift_event(each) for each in gifts])


def log_batch(events: bytes, sequence: int = 1) -> LogBatch:
    """A row of the ledger's log, as its outbox publishes it."""
    return LogBatch(sequence, event_count=1, posted_at=START, events=events)
