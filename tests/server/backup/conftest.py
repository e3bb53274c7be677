"""A ledger with something in it, and an empty database beside it."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.backup.tools import Tools
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis

ADA, BO = uuid4(), uuid4()


class Silent:
    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        pass


@pytest.fixture
async def ledger(pool: asyncpg.Pool) -> LedgerService:
    """Ada was granted 1,000 coins and gave Bo ten roses."""
    settings = LedgerSettings()
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=lambda: None, observer=Silent()
    )
    await grant(ledger)
    for _ in range(10):
        await gift(ledger)
    return ledger


async def grant(ledger: LedgerService) -> None:
    await ledger.grant(
        request_id=uuid4(), user_id=ADA, amount_minor=1_000, reason="test", granted_by=uuid4()
    )


async def gift(ledger: LedgerService, payer: UUID = ADA) -> None:
    request = GiftRequest(
        request_id=uuid4(),
        payer_id=payer,
        payer_name="Ada",
        payee_id=BO,
        stream_id=uuid4(),
        gift_id="rose",
        count=1,
    )
    await ledger.send_gift(request)


@pytest.fixture
async def empty_url(stores: tuple[EmbeddedPostgres, EmbeddedRedis]) -> AsyncIterator[str]:
    admin = await asyncpg.connect(stores[0].admin_url)
    await admin.execute("CREATE DATABASE empty OWNER sociallive")
    yield f"{stores[0].url.rpartition('/')[0]}/empty"
    await admin.execute("DROP DATABASE empty WITH (FORCE)")
    await admin.close()


@pytest.fixture
def tools() -> Tools:
    return Tools(None)
