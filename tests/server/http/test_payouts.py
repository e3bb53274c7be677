"""Payouts as their users see them."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from compliance.aml.alerts import raised
from compliance.aml.detection import Detection
from compliance.aml.score import AlertType, Finding
from tests.support.payout_desk import asked, earner, steps, wish


async def test_what_may_be_asked_for(api: Any) -> None:
    streamer = await earner(api)
    reply = await api("GET", "/api/me/payout-terms", by=streamer)
    assert (reply.status, reply.json) == (
        200,
        {
            "available_minor": 7_000,
            "pending_minor": 0,
            "currency": "COIN",
            "min_minor": 1_000,
            "max_minor": 10**9,
            "maturity_days": 7,
        },
    )
    nobody = await api("GET", "/api/me/payout-terms", by=await api.person())
    assert nobody.json["available_minor"] == 0


async def test_a_payout_is_asked_for_once_and_answered_alike(api: Any) -> None:
    streamer = await earner(api)
    body = wish()
    first = await api("POST", "/api/me/payouts", body, by=streamer)
    assert first.status == 201
    assert set(first.json) == {
        "payout_id",
        "request_id",
        "amount_minor",
        "currency",
        "requested_at",
    }
    await steps(api)
    again = await api("POST", "/api/me/payouts", body, by=streamer)
    assert (again.status, again.text) == (200, first.text), "byte for byte"
    other = await api("POST", "/api/me/payouts", body | {"amount_minor": 1_001}, by=streamer)
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    second = await api("POST", "/api/me/payouts", wish(1_000), by=streamer)
    assert (second.status, second.code) == (409, "payout_open")
    [payout] = (await api("GET", "/api/me/payouts", by=streamer)).json["payouts"]
    assert payout["payout_id"] == first.json["payout_id"]
    assert (payout["status"], payout["can_cancel"]) == ("pending", True)
    assert payout["destination"] == "…2051"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_minor": 999}, 422, "invalid_request"),
        ({"amount_minor": -5_000}, 422, "invalid_request"),
        ({"amount_minor": 10**30}, 422, "invalid_request"),
        ({"amount_minor": 5000.5}, 422, "invalid_request"),
        ({"amount_minor": "5000"}, 422, "invalid_request"),
        ({"amount_minor": True}, 422, "invalid_request"),
        ({"amount_minor": 7_001}, 409, "insufficient_funds"),
        ({"destination": "=cmd|' /C calc'!A0"}, 422, "invalid_request"),
        ({"destination": "x"}, 422, "invalid_request"),
        ({"destination": "abcd\u0000"}, 422, "invalid_request"),
        ({"request_id": "7"}, 422, "invalid_request"),
        ({"user_id": str(uuid4())}, 422, "invalid_request"),
    ],
)
async def test_what_can_t_be_is_refused(
    api: Any, change: dict[str, Any], status: int, code: str
) -> None:
    streamer = await earner(api)
    reply = await api("POST", "/api/me/payouts", wish() | change, by=streamer)
    assert (reply.status, reply.code) == (status, code)
    assert (await api("GET", "/api/me/payouts", by=streamer)).json["payouts"] == []


async def test_two_requests_at_once_make_one_payout(api: Any) -> None:
    streamer = await earner(api)
    replies = await asyncio.gather(
        *(api("POST", "/api/me/payouts", wish(3_000), by=streamer) for _ in range(5))
    )
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409]
    assert {reply.code for reply in replies if reply.status == 409} == {"payout_open"}


async def test_it_is_taken_back_by_its_user_alone(api: Any) -> None:
    streamer = await earner(api)
    payout = f"/api/me/payouts/{await asked(api, streamer)}"
    other = await api.person()
    for method, path in (("GET", payout), ("POST", f"{payout}/cancel")):
        assert (await api(method, path, by=other)).code == "not_found"
    for _ in range(2):
        cancelled = await api("POST", f"{payout}/cancel", by=streamer)
        assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    await steps(api)
    terms = await api("GET", "/api/me/payout-terms", by=streamer)
    assert terms.json["available_minor"] == 7_000
    assert (await api("GET", payout, by=streamer)).json["can_cancel"] is False
    unknown = await api("POST", f"/api/me/payouts/{uuid4()}/cancel", by=streamer)
    assert (unknown.status, unknown.code) == (404, "not_found")


async def test_an_alert_stops_it_and_its_user_is_not_told(api: Any) -> None:
    streamer = await earner(api)
    reason = Finding(AlertType.STRUCTURING, 60, "Why.", {"payments": 3})
    detection = Detection(streamer.user_id, reason.rule, uuid4(), (reason,), (uuid4(),))
    store = api.services.alerts._store
    async with store.transaction() as transaction:
        await transaction.save(raised(detection, uuid4(), api.services.alerts._clock()))
    payout = await asked(api, streamer)
    kept = await api.services.payouts.requests.get(payout)
    assert kept.state == "review"
    shown = (await api("GET", f"/api/me/payouts/{payout}", by=streamer)).json
    assert (shown["status"], shown["reason"]) == ("pending", None)
    assert "review" not in str(shown)


async def test_pages(api: Any) -> None:
    streamer = await earner(api)
    for _ in range(3):
        payout = await asked(api, streamer, 1_000)
        await api("POST", f"/api/me/payouts/{payout}/cancel", by=streamer)
    first = (await api("GET", "/api/me/payouts?limit=2", by=streamer)).json
    rest = await api("GET", f"/api/me/payouts?limit=2&cursor={first['next_cursor']}", by=streamer)
    assert (len(first["payouts"]), len(rest.json["payouts"])) == (2, 1)
    assert rest.json["next_cursor"] is None
    for query in ("limit=0", "limit=101", "cursor=x", "other=1"):
        assert (await api("GET", f"/api/me/payouts?{query}", by=streamer)).status == 422
