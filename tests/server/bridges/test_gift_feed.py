"""Committed gifts reach the chat."""

from collections.abc import AsyncIterator
from dataclasses import replace

from ledger.events import LedgerEvent, batch_to_json
from server.bridges.gift_feed import GiftFeed
from tests.support.gifts import gift, gift_event

GIFT = gift_event(gift())


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
