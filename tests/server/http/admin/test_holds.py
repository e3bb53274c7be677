"""Money of users that admins keep back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from identity.roles import Role
from ledger.accounts import AccountCode
from tests.support.payout_desk import earner

LATER = "2099-01-31T12:00:00.000Z"


def body(**fields: Any) -> dict[str, Any]:
    sound = {"account": "wallet", "amount_minor": 80, "expires_at": LATER, "reason": "Alert 7."}
    return {"request_id": str(uuid4())} | sound | fields


async def test_what_is_held_can_t_be_given_until_it_is_released(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    stream, _ = await api.stream(await api.person(Role.STREAMER))
    await api.fund(viewer, 100)
    holds = f"/api/admin/users/{viewer.user_id}/holds"
    placed = await api("POST", holds, first := body(), by=admin)
    assert (placed.status, placed.json["state"], placed.json["account"]) == (201, "open", "wallet")
    assert (await api("POST", holds, first, by=admin)).text == placed.text
    other = await api("POST", holds, first | {"amount_minor": 1}, by=admin)
    assert other.code == "idempotency_mismatch"
    [listed] = (await api("GET", holds, by=admin)).json["holds"]
    assert listed | placed.json | {"placed_by": str(admin.user_id)} == listed | {"state": "open"}
    assert (listed["amount_minor"], listed["expires_at"]) == (80, LATER)

    gifts = f"/api/streams/{stream.stream_id}/gifts"
    gift = {"request_id": str(uuid4()), "gift_id": "rose", "count": 5}
    assert (await api("POST", gifts, gift, by=viewer)).code == "insufficient_funds"
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["held_minor"] == 80

    path = f"/api/admin/holds/{listed['hold_id']}/release"
    freed = await api("POST", path, why := {"request_id": str(uuid4()), "reason": "Ok."}, by=admin)
    assert (freed.status, freed.json["state"]) == (200, "voided")
    assert (await api("POST", path, why, by=admin)).text == freed.text
    assert (await api("POST", path, why | {"request_id": str(uuid4())}, by=admin)).code == (
        "hold_closed"
    )
    assert (await api("GET", holds, by=admin)).json["holds"] == []
    assert (await api("POST", gifts, gift, by=viewer)).status == 201
    records = (await api("GET", "/api/admin/audit?limit=20", by=admin)).json["records"]
    assert {"user.place_hold", "hold.release"} <= {record["action"] for record in records}


async def test_nobody_frees_their_own_money(api: Any) -> None:
    admin, other = await api.person(Role.ADMIN), await api.person(Role.ADMIN)
    await api.fund(other, 100)
    placed = await api("POST", f"/api/admin/users/{other.user_id}/holds", body(), by=admin)
    path = f"/api/admin/holds/{placed.json['hold_id']}/release"
    why = {"request_id": str(uuid4()), "reason": "Ok."}
    refused = await api("POST", path, why, by=other)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert (await api("GET", "/api/me/wallet", by=other)).json["held_minor"] == 80
    assert (await api("POST", path, why, by=admin)).json["state"] == "voided"


async def test_held_earnings_are_not_paid_out_and_a_payout_s_hold_is_its_own(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    await api.services.ledger.holds.place(  # as a payout does
        caller_id=uuid4(),
        request_id=uuid4(),
        owner_id=streamer.user_id,
        code=AccountCode.EARNINGS_AVAILABLE,
        amount_minor=500,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        reason="Payout",
    )
    holds = f"/api/admin/users/{streamer.user_id}/holds"
    [hold] = (await api("GET", holds, by=admin)).json["holds"]
    assert hold["placed_by"] is None
    path = f"/api/admin/holds/{hold['hold_id']}/release"
    reply = await api("POST", path, {"request_id": str(uuid4()), "reason": "No."}, by=admin)
    assert (reply.status, reply.code) == (404, "unknown_hold")
    wallet = (await api("GET", "/api/me/wallet", by=streamer)).json
    everything = wallet["earnings_available_minor"]
    kept = body(account="earnings_available", amount_minor=everything)
    assert (await api("POST", holds, kept, by=admin)).status == 201
    wallet = (await api("GET", "/api/me/wallet", by=streamer)).json
    assert wallet["earnings_available_minor"] == 0
    more = await api("POST", holds, body(account="earnings_available"), by=admin)
    assert (more.status, more.code) == (409, "insufficient_funds")


async def test_a_hold_that_is_over_holds_nothing_back(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    await api.fund(viewer, 100)
    holds = f"/api/admin/users/{viewer.user_id}/holds"
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (await api("POST", holds, body(expires_at=past), by=admin)).status == 201
    assert (await api("GET", holds, by=admin)).json["holds"] == []
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["held_minor"] == 0


async def test_what_can_t_be_is_refused(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    await api.fund(viewer, 100)
    holds = f"/api/admin/users/{viewer.user_id}/holds"
    for change in (
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 2**63},
        {"amount_minor": 1.5},
        {"account": "fees"},
        {"account": "earnings"},
        {"expires_at": "tomorrow"},
        {"expires_at": "2099-01-31T12:00:00"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"reason": ""},
        {"reason": "\x00"},
        {"other": 1},
    ):
        reply = await api("POST", holds, body(**change), by=admin)
        assert (reply.status, reply.code) == (422, "invalid_request"), change
    assert (await api("POST", holds, body(amount_minor=101), by=admin)).code == "insufficient_funds"
    nobody = f"/api/admin/users/{uuid4()}/holds"
    assert (await api("POST", nobody, body(), by=admin)).status == 404
    why = {"request_id": str(uuid4()), "reason": "Ok."}
    unknown = await api("POST", f"/api/admin/holds/{uuid4()}/release", why, by=admin)
    assert unknown.code == "unknown_hold"
    for who in (viewer, None):
        assert (await api("POST", holds, body(), by=who)).status in (401, 403)
        assert (await api("GET", holds, by=who)).status in (401, 403)
