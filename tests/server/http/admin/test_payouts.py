"""Payouts in the hands of admins."""

from typing import Any
from uuid import uuid4

from identity.roles import Role
from tests.support.payout_desk import asked, earner, steps


async def test_an_admin_stops_approves_and_rejects(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    payout = await asked(api, streamer)
    path = f"/api/admin/payouts/{payout}"
    body = {"reason": "Looks odd."}
    for action, state in (("hold", "review"), ("approve", "approved"), ("reject", None)):
        reply = await api("POST", f"{path}/{action}", body, by=admin)
        if state is None:
            assert (reply.status, reply.code) == (409, "invalid_transition")
        else:
            assert (reply.status, reply.json["state"]) == (200, state)
    await steps(api)
    rejected = await api("POST", f"{path}/reject", {"reason": "Not your account."}, by=admin)
    assert rejected.json["state"] == "rejected"
    await steps(api)
    shown = (await api("GET", path, by=admin)).json
    assert (shown["user_name"], shown["destination"]) == (streamer.name, "…2051")
    assert [event["type"] for event in shown["history"]] == [
        "payout.requested",
        "payout.approved",
        "payout.held",
        "payout.flagged",
        "payout.approved",
        "payout.held",
        "payout.rejected",
        "payout.booked",
    ]
    assert shown["history"][3]["data"] == {"reason": "Looks odd.", "by": str(admin.user_id)}
    mine = (await api("GET", f"/api/me/payouts/{payout}", by=streamer)).json
    assert (mine["status"], mine["reason"]) == ("rejected", "Not your account.")
    records = (await api("GET", "/api/admin/audit?limit=10", by=admin)).json["records"]
    mine = [r["action"] for r in records if r["subject"] == f"payout:{payout}"]
    assert mine == [
        "payout.reject",
        "payout.reject.refused",
        "payout.reject",
        "payout.approve",
        "payout.hold",
    ]


async def test_a_result_by_hand(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    payout = await asked(api, streamer)
    path = f"/api/admin/payouts/{payout}/result"
    early = await api("POST", path, {"status": "settled"}, by=admin)
    assert (early.status, early.code) == (409, "contradictory_result")
    await api("PUT", f"/api/admin/payout-batches/{uuid4()}", by=admin)
    await steps(api)
    body = {"status": "settled", "reference": "TX-1"}
    for _ in range(2):
        reply = await api("POST", path, body, by=admin)
        assert (reply.status, reply.json["state"]) == (200, "settled")
    assert (reply.json["reference"], reply.json["attention"]) == ("TX-1", None)
    returned = {"status": "returned", "reason": "Account closed."}
    assert (await api("POST", path, returned, by=admin)).json["state"] == "returned"
    await steps(api)
    terms = (await api("GET", "/api/me/payout-terms", by=streamer)).json
    assert terms["available_minor"] == 7_000
    for bad in ({"status": "paid"}, {"status": "failed", "reason": ""}, {}):
        assert (await api("POST", path, bad, by=admin)).status == 422


async def test_nobody_judges_their_own(api: Any) -> None:
    admin, earning = await api.person(Role.ADMIN), await earner(api, Role.ADMIN)
    path = f"/api/admin/payouts/{await asked(api, earning)}"
    why, failed = {"reason": "All well."}, {"status": "failed", "reason": "Lost."}
    assert (await api("POST", f"{path}/hold", why, by=admin)).json["state"] == "review"
    refused = await api("POST", f"{path}/approve", why, by=earning)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert (await api("GET", path, by=admin)).json["state"] == "review"
    assert (await api("POST", f"{path}/approve", why, by=admin)).json["state"] == "approved"
    await steps(api)
    await api("PUT", f"/api/admin/payout-batches/{uuid4()}", by=earning)
    await steps(api)
    assert (await api("GET", path, by=admin)).json["state"] == "sent"
    refused = await api("POST", f"{path}/result", failed, by=earning)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert (await api("GET", path, by=admin)).json["state"] == "sent"
    assert (await api("POST", f"{path}/result", failed, by=admin)).json["state"] == "failed"


async def test_they_are_found_by_state(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    payout = await asked(api, await earner(api))
    held = (await api("GET", "/api/admin/payouts?state=held&limit=100", by=admin)).json
    assert payout in [each["payout_id"] for each in held["payouts"]]
    assert {each["state"] for each in held["payouts"]} == {"held"}
    first = (await api("GET", "/api/admin/payouts?limit=1", by=admin)).json
    assert first["payouts"][0]["payout_id"] == payout
    for query in ("state=lost", "attention=maybe", "cursor=1"):
        assert (await api("GET", f"/api/admin/payouts?{query}", by=admin)).status == 422


async def test_unknown_ones_and_empty_reasons(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    for action in ("approve", "hold", "reject"):
        path = f"/api/admin/payouts/{uuid4()}/{action}"
        assert (await api("POST", path, {"reason": "x"}, by=admin)).code == "not_found"
        assert (await api("POST", path, {"reason": " "}, by=admin)).code == "invalid_request"
    assert (await api("GET", f"/api/admin/payouts/{uuid4()}", by=admin)).code == "not_found"
