"""Payouts put together over the product's parts."""

from typing import Any

import asyncpg
from pydantic import SecretStr

from config.ledger import LedgerSettings
from config.payouts import HttpProviderSettings, PayoutSettings
from ledger.payouts.check import Verdict
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.metrics import Metrics
from server.payouts import build_payouts, http_provider
from tests.support.kettles import Clock

HTTP = HttpProviderSettings(
    url="https://pay.example/v1",  # type: ignore[arg-type]
    token=SecretStr("t"),
    webhook_secrets=(SecretStr("s" * 32),),
)


class AllClear:
    async def judge(self, user_id: Any) -> Verdict:
        return Verdict(True)


async def test_the_parts_fit(pool: asyncpg.Pool) -> None:
    settings = LedgerSettings(payouts=PayoutSettings(provider="http", http=HTTP))
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=lambda: None, observer=Metrics().ledger
    )
    payouts = build_payouts(pool, settings, ledger, AllClear(), clock=Clock())
    assert payouts.http is not None
    await payouts.runner.open()
    assert await payouts.runner.turn() == 0
    assert await payouts.maturing.mature_once() == 0
    assert await payouts.follow_up.ask_once() == 0
    await payouts.close()
    await ledger.close()


def test_a_provider_is_there_where_it_is_set_up() -> None:
    assert http_provider(PayoutSettings()) is None
    # Payouts may still be on their way there after the house went back to paying by hand.
    assert http_provider(PayoutSettings(provider="manual", http=HTTP)) is not None
