"""The provider over HTTP against a bank that behaves badly: nothing is failed that may be paid."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web
from pydantic import SecretStr

from config.payouts import HttpProviderSettings
from ledger.event_store.database import Database
from ledger.payouts.errors import ProviderContradicts, ProviderUnavailable
from ledger.payouts.provider import Accepted, PayoutOrder, Refused
from ledger.payouts.results import PayoutResult, ResultStatus
from ledger.sagas.steps import TaskState
from server.bridges.http_payouts import NO_REASON, HttpPayoutProvider
from tests.support.bad_bank import (
    BadBank,
    Behaviour,
    cuts,
    cuts_short,
    drips,
    floods,
    hangs,
    moves,
    refuses,
    says,
)
from tests.support.kettles import Clock
from tests.support.payout_house import House

TOKEN = "hush-hush-token"
ORDER = PayoutOrder(uuid4(), 5_000, "COIN", "DE02 1203 0000 0000 2020 51")


@pytest.fixture
async def bank() -> AsyncIterator[BadBank]:
    bank = BadBank()
    runner = await bank.serve()
    yield bank
    bank.release.set()
    await runner.cleanup()


def settings(url: str, timeout_s: float = 5.0) -> HttpProviderSettings:
    return HttpProviderSettings(url=url, token=SecretStr(TOKEN), timeout_s=timeout_s)  # type: ignore[arg-type]


@pytest.fixture
async def provider(bank: BadBank) -> AsyncIterator[HttpPayoutProvider]:
    provider = HttpPayoutProvider(settings(bank.url))
    yield provider
    await provider.close()


async def test_an_order_is_taken_once_however_often_it_is_sent(
    bank: BadBank, provider: HttpPayoutProvider
) -> None:
    for _ in range(2):
        assert await provider.submit(ORDER) == Accepted(f"B-{ORDER.payout_id}")
    assert list(bank.paid) == [str(ORDER.payout_id)]
    [first, second] = bank.requests
    for request in (first, second):
        assert request.headers["Idempotency-Key"] == str(ORDER.payout_id)
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.path_qs


@pytest.mark.parametrize(
    "behaviour",
    [
        cuts,
        cuts_short,
        floods,
        moves,
        *(says(status) for status in (204, 302, 400, 401, 403, 404, 408, 409, 425, 429, 500, 503)),
        *(says(200, body) for body in (b"", b"garbage", b"[]", b"null", b'{"payout_id"', b"\xff")),
        says(200, payout_id=None),
        says(201, amount_minor=None),
        says(422, b"<html>"),
        says(422, b"{}"),
    ],
)
async def test_what_may_mean_that_it_was_taken_is_asked_again(
    bank: BadBank, provider: HttpPayoutProvider, behaviour: Behaviour
) -> None:
    bank.behaviours = [behaviour]
    with pytest.raises(ProviderUnavailable) as error:
        await provider.submit(ORDER)
    assert TOKEN not in str(error.value)
    assert bank.url not in str(error.value)
    assert len(bank.requests) == 1, "a redirect is not followed: the token would go with it"
    assert await provider.submit(ORDER) == Accepted(f"B-{ORDER.payout_id}")
    assert len(bank.paid) == 1


@pytest.mark.parametrize("behaviour", [hangs, drips])
async def test_an_answer_that_takes_too_long_is_given_up(
    bank: BadBank, behaviour: Behaviour
) -> None:
    bank.behaviours = [behaviour]
    provider = HttpPayoutProvider(settings(bank.url, timeout_s=0.2))
    with pytest.raises(ProviderUnavailable):
        await provider.submit(ORDER)
    await provider.close()
    assert len(bank.paid) == 1


async def test_nobody_there(bank: BadBank) -> None:
    provider = HttpPayoutProvider(settings("http://127.0.0.1:1/v1"))
    with pytest.raises(ProviderUnavailable, match="No answer"):
        await provider.submit(ORDER)
    await provider.close()


@pytest.mark.parametrize(
    "behaviour",
    [
        says(200, amount_minor=4_999),
        says(200, amount_minor="5000"),
        says(200, amount_minor=True),
        says(200, currency="EUR"),
        says(200, payout_id=str(uuid4())),
        refuses(payout_id=str(uuid4())),
    ],
)
async def test_an_answer_about_another_order_is_for_a_person(
    bank: BadBank, provider: HttpPayoutProvider, behaviour: Behaviour
) -> None:
    bank.behaviours = [behaviour]
    with pytest.raises(ProviderContradicts):
        await provider.submit(ORDER)


async def test_refused_for_good(bank: BadBank, provider: HttpPayoutProvider) -> None:
    bank.behaviours = [refuses(), refuses(reason=None), refuses(reason="x" * 501)]
    assert await provider.submit(ORDER) == Refused("No such account.")
    assert await provider.submit(ORDER) == Refused(NO_REASON)
    assert await provider.submit(ORDER) == Refused(NO_REASON)
    assert bank.paid == {}


async def test_a_reference_that_can_t_be_kept_is_left_out(
    bank: BadBank, provider: HttpPayoutProvider
) -> None:
    for reference in ("x" * 201, "a\nb", 7, None):
        bank.behaviours = [says(200, reference=reference)]
        assert await provider.submit(ORDER) == Accepted(None)


def told(**changes: Any) -> web.Response:
    body = {
        "payout_id": str(ORDER.payout_id),
        "status": "settled",
        "amount_minor": 5_000,
        "currency": "COIN",
        "reference": "B-1",
    }
    return web.json_response(body | changes)


async def test_what_became_of_an_order(bank: BadBank, provider: HttpPayoutProvider) -> None:
    bank.told = told()
    assert await provider.look_up(ORDER) == PayoutResult(
        ORDER.payout_id, ResultStatus.SETTLED, 5_000, "COIN", "B-1", None
    )
    bank.told = told(status="pending")
    assert await provider.look_up(ORDER) is None
    for request in bank.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "answer",
    [
        {"payout_id": str(uuid4())},
        {"status": "paid"},
        {"status": None},
        {"status": ["settled"]},
        {"amount_minor": "5000"},
        {"amount_minor": None},
        {"currency": "CO\0IN"},
        {"currency": "coin"},
        {"currency": None},
    ],
)
async def test_what_says_nothing_of_it_is_asked_again(
    bank: BadBank, provider: HttpPayoutProvider, answer: dict[str, Any]
) -> None:
    bank.told = told(**answer)
    with pytest.raises(ProviderUnavailable):
        await provider.look_up(ORDER)


@pytest.mark.parametrize("status", [201, 302, 404, 422, 500])
async def test_another_answer_says_nothing_either(
    bank: BadBank, provider: HttpPayoutProvider, status: int
) -> None:
    bank.told = web.json_response({"payout_id": str(ORDER.payout_id)}, status=status)
    with pytest.raises(ProviderUnavailable):
        await provider.look_up(ORDER)


def test_it_needs_an_address_and_a_token() -> None:
    with pytest.raises(ValueError, match="needs"):
        HttpPayoutProvider(HttpProviderSettings())


async def test_a_payout_is_paid_once_through_all_of_it(
    bank: BadBank,
    provider: HttpPayoutProvider,
    pool: asyncpg.Pool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    database = Database(pool, acquire_timeout_s=5, statement_timeout_s=5)
    house = House(database, clock, bank=provider, automatic=True)  # type: ignore[arg-type]
    bank.behaviours = [cuts, says(503)]
    payout = await house.ask(house.user())
    for _ in range(3):
        await house.settle()
        clock.advance(60)
    assert await house.state(payout) == "sent"
    assert (await house.store.get(payout.payout_id)).reference == f"B-{payout.payout_id}"
    assert len(bank.paid) == 1
    assert len(bank.requests) == 3

    bank.behaviours = [says(200, amount_minor=1)]
    wrong = await house.ask(house.user())
    await house.settle()
    [dead] = await house.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert await house.state(wrong) == "captured"
    assert TOKEN not in (dead.last_error or "") + caplog.text
