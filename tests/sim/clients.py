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
SHARES = {"gift": 60, "grant": 9, "hold": 10, "capture": 8, "void": 4, "refund": 8, "mature": 1}


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
        """What to ask for next. Without holds or gifts of its own there is a gift to be given."""
        request_id = UUID(int=self._random.getrandbits(128), version=4)
        [operation] = self._random.choices(list(SHARES), list(SHARES.values()))
        payer, payee = self._random.sample(list(self._people), 2)
        match operation:
            case "grant":
                amount = self._random.randint(1, MOST_GRANTED)
                arguments: dict[str, Any] = {"user_id": payer, "amount_minor": amount}
                return Key(self._admin, request_id), operation, arguments
            case "mature":
                return Key(self._admin, request_id), operation, {}
            case "hold":
                arguments = {
                    "code": self._random.choice(("wallet", "earnings_available")),
                    "amount_minor": self._random.randint(1, MOST_HELD),
                    "expires_at": self._expiry(),
                }
                return Key(payer, request_id), operation, arguments
            case "capture" | "void" if self._holds:
                held = self._random.choice(self._holds)
                part = self._random.choice((None, self._random.randint(1, MOST_HELD)))
                arguments = {"hold_id": held} | (
                    {"amount_minor": part} if operation == "capture" else {}
                )
                return Key(self._admin, request_id), operation, arguments
            case "refund" if self._gifts:
                arguments = {
                    "transaction_id": self._random.choice(self._gifts),
                    "amount_minor": self._random.choice((None, self._random.randint(1, 20))),
                    "shortfall": self._random.choice(("refuse", "reserve")),
                }
                return Key(self._admin, request_id), operation, arguments
        gift_id = self._random.choice(list(PRICES))
        arguments = {
            "payer_id": payer,
            "payee_id": payee,
            "gift_id": gift_id,
            "price_minor": PRICES[gift_id],
            "count": self._random.randint(1, 3),
        }
        return Key(payer, request_id), "gift", arguments

    def _expiry(self) -> str:
        """Most holds outlive the campaign, some end while things go on."""
        ahead = self._random.choice((timedelta(hours=9), timedelta(seconds=1)))
        return (datetime.now(UTC) + ahead).isoformat()

    def _remember(self, call: Call) -> None:
        """What later requests may be about."""
        if call.operation == "hold":
            self._holds = [*self._holds[-MOST_REMEMBERED:], call.answer["hold_id"]]
        if call.operation == "gift":
            self._gifts = [*self._gifts[-MOST_REMEMBERED:], call.answer["transaction_id"]]
