"""The bank of the campaign: it survives, pays once for one key, and loses many of its answers.

What it makes of an order it decides at once: settled, failed, settled and sent back, or refused.
Most of it is told by signed notices, which come until they are taken, and sometimes once more; the
rest is told to whoever asks.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from ledger.payouts.notices import signature
from tests.sim.evidence import Order
from tests.sim.history import Outcome

FATES = {"settled": 55, "failed": 15, "returned": 20, "refused": 10}
ANSWERS = {"answered": 50, "lost": 20, "late": 5, "unavailable": 10, "taken, unavailable": 15}
SILENT = 0.3
"""Part of the orders of which no notice tells."""
TOLD_AGAIN = 0.2
LATE_S = 1.5
AGAIN_S = 0.05
KEY = "the key that signs the notices of the bank"

Deliver = Callable[[str, str], Awaitable[Outcome]]
"""Brings a notice to the house: its signature, and its body."""


@dataclass
class Entry:
    """What is known of one key."""

    order: dict[str, Any]
    fate: str
    silent: bool
    amounts: set[int] = field(default_factory=set)
    status: str = "pending"


class Bank:
    """Call `serve`, then run `tell` beside it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/bank")
        self._entries: dict[str, Entry] = {}
        self._due: asyncio.Queue[tuple[Entry, str]] = asyncio.Queue()
        self._untold = 0
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.instructions = 0
        self.lost_answers = 0
        self.notices = 0
        self.faults: list[str] = []

    @property
    def all_is_told(self) -> bool:
        """Whether every notice was taken."""
        return not self._untold

    def orders(self) -> tuple[Order, ...]:
        """What it was asked for, and what it made of it."""
        return tuple(
            Order(UUID(each.order["payout_id"]), frozenset(each.amounts), each.status)
            for each in self._entries.values()
        )

    async def serve(self) -> None:
        app = web.Application()
        app.router.add_post("/payouts", self._take)
        app.router.add_get("/payouts/{payout_id}", self._look_up)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def tell(self, deliver: Deliver) -> None:
        """Bring the notices, until cancelled; those of one order in their order."""
        while True:
            entry, status = await self._due.get()
            body = self._notice(entry, status)
            outcome = await deliver(signature(KEY.encode(), int(time.time()), body), body.decode())
            if outcome is Outcome.UNKNOWN:
                await asyncio.sleep(AGAIN_S)
                self._due.put_nowait((entry, status))
                continue
            self.notices += 1
            if outcome is Outcome.REFUSED:
                self.faults.append(f"a notice was refused: {body.decode()}")
            if self._random.random() < TOLD_AGAIN:
                self._due.put_nowait((entry, status))
                continue
            self._untold -= 1
            if entry.fate == "returned" and status == "settled":
                entry.status = "returned"
                self._say(entry)

    def _say(self, entry: Entry) -> None:
        self._untold += 1
        self._due.put_nowait((entry, entry.status))

    @staticmethod
    def _notice(entry: Entry, status: str) -> bytes:
        names = ("payout_id", "amount_minor", "currency")
        return orjson.dumps(
            {name: entry.order[name] for name in names}
            | {"id": f"{status}-{entry.order['payout_id']}", "status": status}
        )

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.instructions += 1
        [answer] = self._random.choices(list(ANSWERS), list(ANSWERS.values()))
        if answer == "unavailable":
            self.lost_answers += 1
            return web.Response(status=503)
        order = await request.json()
        entry = self._entered(request.headers["Idempotency-Key"], order)
        entry.amounts.add(order["amount_minor"])
        if answer != "answered":
            self.lost_answers += 1
        if answer == "taken, unavailable":
            return web.Response(status=503)
        if answer == "late":
            await asyncio.sleep(LATE_S)
        if answer == "lost" and request.transport is not None:
            request.transport.abort()
        if entry.status == "refused":
            refusal = {"payout_id": order["payout_id"], "reason": "No such account."}
            return web.json_response(refusal, status=422)
        named = {name: order[name] for name in ("payout_id", "amount_minor", "currency")}
        return web.json_response(named | {"reference": f"B-{order['payout_id']}"}, status=201)

    def _entered(self, key: str, order: dict[str, Any]) -> Entry:
        """The entry of a key; a new one is decided on, and paid where that is its fate."""
        if key not in self._entries:
            [fate] = self._random.choices(list(FATES), list(FATES.values()))
            silent = fate in ("settled", "failed") and self._random.random() < SILENT
            entry = self._entries[key] = Entry(order, fate, silent)
            entry.status = "settled" if fate == "returned" else fate
            if not silent and fate != "refused":
                self._say(entry)
        return self._entries[key]

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        entry = self._entries.get(request.match_info["payout_id"])
        if entry is None:
            return web.Response(status=404)
        names = ("payout_id", "amount_minor", "currency")
        return web.json_response(
            {name: entry.order[name] for name in names} | {"status": entry.status}
        )
