"""Committed gifts reach the chat."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from ledger.events import GiftSent, LedgerEvent, batch_to_json
from server.bridges.gift_feed import GiftFeed

GIFT = LedgerEvent(
    event_id=uuid4(),
    sequence=1,
    type="gift.sent",
    version=1,
    occurred_at=datetime(2026, 1, 2, tzinfo=UTC),
    data=GiftSent(
        transaction_id=uuid4(),
        request_id=uuid4(),
        stream_id=uuid4(),
        payer_id=uuid4(),
        payer_name="Vera",
        payee_id=uuid4(),
        gift_id="rose",
        count=1,
        total_minor=10,
        fee_minor=3,
        currency="COIN",
        payer_balance_minor=90,
        payee_balance_minor=7,
    ),
)


class Tail:
    def __init__(self, *payloads: bytes) -> None:
        self._payloads = payloads

    async def entries(self) -> AsyncIterator[bytes]:
        for payload in self._payloads:
            yield payload


class Screen:
    def __init__(self) -> None:
        self.shown: list[int] = []

    async def publish_gift(self, event: LedgerEvent) -> None:
        self.shown.append(event.sequence)


async def test_every_event_is_handed_on_in_order_and_rubbish_is_passed_over() -> None:
    screen = Screen()
    batches = (
        batch_to_json([GIFT, replace(GIFT, sequence=2)]),
        b'[{"type": "nonsense"}]',
        b"\xff",
        batch_to_json([replace(GIFT, sequence=3)]),
    )
    await GiftFeed(Tail(*batches), screen).run()
    assert screen.shown == [1, 2, 3]
