"""Clients of the writers: each makes one request after the other, seeded, and keeps the history."""

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.sim.history import Call, History, Key, Outcome

PRICES = {"rose": 10, "heart": 50, "confetti": 100, "trophy": 500}
ANSWER_PATIENCE_S = 4.0
TRIES = 6
LONGEST_THOUGHT_S = 0.02
RETRY_PAUSE_S = 0.05
MOST_GRANTED = 5_000
MOST_HELD = 300
MOST_REMEMBERED = 20
MOST_PAID_OUT = 500
NEWEST_PAYOUTS = 4
SHARES = {
    "gift": 60,
    "grant": 9,
    "hold": 10,
    "capture": 8,
    "void": 4,
    "refund": 8,
    "mature": 1,
    "payout": 24,
    "payout_cancel": 2,
    "payout_flag": 2,
    "payout_approve": 4,
    "payout_reject": 1,
}


class Client:
    """One of several at work; `ports` are those of the writers."""

    def __init__(
        self,
        number: int,
        seed: int,
        history: History,
        ports: Sequence[int],
        people: Sequence[UUID],
    ) -> None:
        self._random = random.Random(f"{seed}/{number}")
        self._admin = UUID(int=self._random.getrandbits(128), version=4)
        self._history = history
        self._ports = ports
        self._people = people
        self._way: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._holds: list[str] = []
        self._gifts: list[str] = []
        self._payouts: list[tuple[str, UUID]] = []
        """The newest ones, and whose they are."""
        self.acknowledged = 0
        self.unexpected: list[str] = []

    async def run(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            key, operation, arguments = self._choose()
            for _ in range(TRIES):
                call = await self.call(key, operation, arguments)
                if call.outcome is not Outcome.UNKNOWN or self._random.random() < 0.3:
                    break
                await asyncio.sleep(RETRY_PAUSE_S)
            await asyncio.sleep(self._random.random() * LONGEST_THOUGHT_S)
        self.close()

    async def call(self, key: Key, operation: str, arguments: dict[str, Any]) -> Call:
        """One try, recorded."""
        call = self._history.begin(key, operation, arguments)
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                answer = await self._ask(key, operation, arguments)
        except (OSError, EOFError, ValueError):
            self.close()
            self._history.end(call, Outcome.UNKNOWN, {})
            return call
        self._history.end(call, Outcome(answer["outcome"]), answer["answer"])
        if "unexpected" in answer["answer"]:
            self.unexpected.append(answer["answer"]["unexpected"])
        if call.outcome is Outcome.OK:
            self.acknowledged += 1
            self._remember(call)
        return call

    def close(self) -> None:
        if self._way is not None:
            self._way[1].transport.abort()
            self._way = None

    async def _ask(self, key: Key, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._way is None:
            self._way = await asyncio.open_connection("127.0.0.1", self._random.choice(self._ports))
        reader, writer = self._way
        request = {
            "caller_id": key.caller_id,
            "request_id": key.request_id,
            "operation": operation,
            "arguments": arguments,
        }
        writer.write(json.dumps(request, default=str).encode() + b"\n")
        await writer.drain()
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _choose(self) -> tuple[Key, str, dict[str, Any]]:
        """What to ask for next. Without anything of its own to work on it gives a gift."""
        request_id = UUID(int=self._random.getrandbits(128), version=4)
        [operation] = self._random.choices(list(SHARES), list(SHARES.values()))
        payer, payee = self._random.sample(list(self._people), 2)
        caller_id = self._admin
        arguments: dict[str, Any] = {}
        match operation:
            case "mature":
                pass
            case "grant":
                arguments = {
                    "user_id": payer,
                    "amount_minor": self._random.randint(1, MOST_GRANTED),
                }
            case "hold":
                caller_id = payer
                arguments = {
                    "code": self._random.choice(("wallet", "earnings_available")),
                    "amount_minor": self._random.randint(1, MOST_HELD),
                    "expires_at": self._expiry(),
                }
            case "capture" | "void" if self._holds:
                arguments = {"hold_id": self._random.choice(self._holds)}
                if operation == "capture":
                    part = self._random.randint(1, MOST_HELD)
                    arguments["amount_minor"] = self._random.choice((None, part))
            case "refund" if self._gifts:
                arguments = {
                    "transaction_id": self._random.choice(self._gifts),
                    "amount_minor": self._random.choice((None, self._random.randint(1, 20))),
                    "shortfall": self._random.choice(("refuse", "reserve")),
                }
            case "payout":
                caller_id = payer
                arguments = {
                    "amount_minor": self._random.randint(1, MOST_PAID_OUT),
                    "destination": f"DE02 {payer.hex[:8]}",
                }
            case "payout_cancel" | "payout_flag" | "payout_approve" | "payout_reject" if (
                self._payouts
            ):
                payout_id, user_id = self._random.choice(self._payouts)
                caller_id = user_id if operation == "payout_cancel" else self._admin
                arguments = {"payout_id": payout_id}
            case _:
                operation, caller_id = "gift", payer
                arguments = self._gift(payer, payee)
        return Key(caller_id, request_id), operation, arguments

    def _gift(self, payer: UUID, payee: UUID) -> dict[str, Any]:
        gift_id = self._random.choice(list(PRICES))
        return {
            "payer_id": payer,
            "payee_id": payee,
            "gift_id": gift_id,
            "price_minor": PRICES[gift_id],
            "count": self._random.randint(1, 3),
        }

    def _expiry(self) -> str:
        """Most holds outlive the campaign, some end while things go on."""
        ahead = self._random.choice((timedelta(hours=9), timedelta(seconds=1)))
        return (datetime.now(UTC) + ahead).isoformat()

    def _remember(self, call: Call) -> None:
        """What later requests may be about."""
        if call.operation == "hold":
            self._holds = [*self._holds[-MOST_REMEMBERED:], call.answer["hold_id"]]
        if call.operation == "payout":
            mine = call.answer["payout_id"], call.key.caller_id
            self._payouts = [*self._payouts[-NEWEST_PAYOUTS:], mine]
        if call.operation == "gift":
            self._gifts = [*self._gifts[-MOST_REMEMBERED:], call.answer["transaction_id"]]
