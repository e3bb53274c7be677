"""A ledger on the test's own database, and shorthand for the people in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest
from ledger.service import LedgerService
from ledger.store import LedgerStore

ADMIN = uuid4()


@dataclass
class Recorder:
    """What the service told its collaborators."""

    observed: list[tuple[str, str]] = field(default_factory=list)
    wakes: int = 0

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        assert seconds >= 0
        self.observed.append((operation, outcome))

    def wake(self) -> None:
        self.wakes += 1


@pytest.fixture
def settings() -> LedgerSettings:
    return LedgerSettings()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def store(pool: asyncpg.Pool, settings: LedgerSettings) -> LedgerStore:
    return LedgerStore(pool, settings)


@pytest.fixture
def ledger(store: LedgerStore, settings: LedgerSettings, recorder: Recorder) -> LedgerService:
    return LedgerService(settings, store, wake=recorder.wake, observer=recorder)


@pytest.fixture
def gift() -> Callable[..., GiftRequest]:
    """A sound request: one rose, from somebody to somebody else; keywords replace its fields."""

    def make(**fields: Any) -> GiftRequest:
        sound: dict[str, Any] = {
            "request_id": uuid4(),
            "payer_id": uuid4(),
            "payer_name": "Vera",
            "payee_id": uuid4(),
            "stream_id": uuid4(),
            "gift_id": "rose",
            "count": 1,
        }
        return GiftRequest(**sound | fields)

    return make


@pytest.fixture
def fund(ledger: LedgerService) -> Callable[[UUID, int], Any]:
    """Give coins to a user."""

    async def grant(user_id: UUID, amount_minor: int) -> None:
        await ledger.grant(
            request_id=uuid4(),
            user_id=user_id,
            amount_minor=amount_minor,
            reason="test",
            granted_by=ADMIN,
        )

    return grant
