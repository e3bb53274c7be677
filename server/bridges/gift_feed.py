"""Committed gifts from the ledger's stream of events to the chat's rooms on this node."""

import logging
from collections.abc import AsyncIterator
from typing import Protocol

from ledger.events import LedgerEvent, MalformedEvent, batch_from_json

log = logging.getLogger(__name__)


class Tail(Protocol):
    """Reads what is published from now on."""

    def entries(self) -> AsyncIterator[bytes]: ...


class Screen(Protocol):
    """Where gifts are shown; the chat."""

    async def publish_gift(self, event: LedgerEvent) -> None: ...


class GiftFeed:
    """Hands every event to the chat, which shows each gift once."""

    def __init__(self, tail: Tail, screen: Screen) -> None:
        self._tail = tail
        self._screen = screen

    async def run(self) -> None:
        """Read until cancelled. A batch that can't be read is passed over, and said so."""
        async for payload in self._tail.entries():
            try:
                events = batch_from_json(payload)
            except MalformedEvent:
                log.exception("the ledger's stream holds a batch that is none")
                continue
            for event in events:
                await self._screen.publish_gift(event)
