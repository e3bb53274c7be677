"""Refunds and chargebacks by admins."""

from typing import Any
from uuid import uuid4

from identity.roles import Role
from tests.support.payout_desk import asked, earner


async def a_gift(api: Any) -> tuple[Any, Any, str]:
    """A viewer who sent 100 coins, the streamer who got 70, and where the gift is."""
    viewer, streamer = await api.person(), await api.person(Role.STREAMER)
    stream, _ = await api.stream(streamer)
    await api.fund(viewer, 100)
    body = {"request_id": str(uuid4()), "gift_id": "rose", "count": 10}
    sent = await api("POST", f"/api/streams/{stream.stream_id}/gifts", body, by=viewer)
    return viewer, streamer, f"/api/admin/transactions/{sent.json['transaction_id']}"


def body(**fields: Any) -> dict[str, Any]:
    return {"request_id": str(uuid4()), "reason": "A mistake."} | fields


async def test_a_refund_in_part_and_the_rest(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    viewer, streamer, gift = await a_gift(api)
    part = body(amount_minor=40)
    first = await api("POST", f"{gift}/refund", part, by=admin)
    assert first.status == 201
    assert sum(leg["amount_minor"] for leg in first.json["legs"]) == 0
    again = await api("POST", f"{gift}/refund", part, by=admin)
    assert (again.status, again.text) == (200, first.text)
    mismatch = await api("POST", f"{gift}/refund", part | {"amount_minor": 1}, by=admin)
    assert mismatch.code == "idempotency_mismatch"
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["balance_minor"] == 40
    too_much = await api("POST", f"{gift}/refund", body(amount_minor=61), by=admin)
    assert (too_much.status, too_much.code) == (409, "already_reversed")
    assert (await api("POST", f"{gift}/refund", body(), by=admin)).status == 201
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["balance_minor"] == 100
    assert (await api("GET", "/api/me/wallet", by=streamer)).json["earnings_minor"] == 0
    over = await api("POST", f"{gift}/refund", body(), by=admin)
    assert (over.status, over.code) == (409, "already_reversed")


async def test_a_chargeback_of_what_was_paid_out_is_owed(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    await asked(api, streamer, 7_000)
    await api("PUT", f"/api/admin/payout-batches/{uuid4()}", by=admin)
    lines = (await api("GET", "/api/me/statement?account=earnings", by=streamer)).json["lines"]
    [gift] = [line["transaction_id"] for line in lines if line["kind"] == "gift"]
    path = f"/api/admin/transactions/{gift}"
    refused = await api("POST", f"{path}/refund", body(), by=admin)
    assert (refused.status, refused.code) == (409, "insufficient_funds")
    charged = await api("POST", f"{path}/chargeback", body(reference=f"CB-{uuid4()}"), by=admin)
    assert charged.status == 201
    paid = await api("GET", "/api/me/statement?account=earnings_available", by=streamer)
    assert [line["amount_minor"] for line in paid.json["lines"]][-1] == 7_000
    owed = [leg for leg in charged.json["legs"] if leg["code"] == "chargeback_reserve"]
    assert owed[0]["balance_minor"] == -7_000


async def test_what_can_t_be_is_refused(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    _, _, gift = await a_gift(api)
    for change in (
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 10**30},
        {"reason": ""},
        {"shortfall": "forget"},
        *({"reference": reference} for reference in ("", "\n", "a\u0085b", "a\0", " a", "x" * 201)),
        {"reference": ""},
        {"other": 1},
    ):
        reply = await api("POST", f"{gift}/refund", body(**change), by=admin)
        assert (reply.status, reply.code) == (422, "invalid_request"), change
    unknown = await api("POST", f"/api/admin/transactions/{uuid4()}/refund", body(), by=admin)
    assert unknown.code == "unknown_transaction"
    records = (await api("GET", "/api/admin/audit?limit=20", by=admin)).json["records"]
    assert "transaction.refund.refused" in {record["action"] for record in records}
