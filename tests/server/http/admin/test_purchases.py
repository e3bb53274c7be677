"""Payments for coins, recorded by admins."""

from typing import Any
from uuid import uuid4

from identity.roles import Role
from tests.support.payout_desk import steps


def payment(**fields: Any) -> dict[str, Any]:
    sound = {
        "request_id": str(uuid4()),
        "amount_minor": 500,
        "paid_minor": 499,
        "paid_currency": "EUR",
        "reference": f"PAY-{uuid4()}",
    }
    return sound | fields


async def test_a_payment_becomes_coins_once(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}/purchases"
    body = payment()
    first = await api("POST", path, body, by=admin)
    assert first.status == 201
    await steps(api)
    again = await api("POST", path, body, by=admin)
    assert (again.status, again.text) == (200, first.text)
    other = await api("POST", path, body | {"amount_minor": 5}, by=admin)
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    same = await api("POST", path, payment(reference=body["reference"]), by=admin)
    assert (same.status, same.code) == (409, "duplicate_reference")
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["balance_minor"] == 500

    purchase = f"/api/admin/purchases/{first.json['purchase_id']}"
    shown = (await api("GET", purchase, by=admin)).json
    assert (shown["state"], shown["user_name"]) == ("credited", viewer.name)
    assert [event["type"] for event in shown["history"]] == [
        "purchase.paid",
        "purchase.credited",
    ]
    [newest] = (await api("GET", "/api/admin/purchases?limit=1", by=admin)).json["purchases"]
    assert newest["purchase_id"] == first.json["purchase_id"]
    refunded = await api("POST", f"{purchase}/refunded", {"reason": "Sent back."}, by=admin)
    assert (refunded.status, refunded.code) == (409, "invalid_transition")


async def test_what_can_t_be_is_refused(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}/purchases"
    for change in (
        {"amount_minor": 0},
        {"amount_minor": 10**30},
        {"paid_minor": -1},
        {"paid_currency": "eur"},
        {"reference": ""},
        {"other": 1},
    ):
        reply = await api("POST", path, payment(**change), by=admin)
        assert (reply.status, reply.code) == (422, "invalid_request"), change
    nobody = f"/api/admin/users/{uuid4()}/purchases"
    assert (await api("POST", nobody, payment(), by=admin)).code == "not_found"
    unknown = f"/api/admin/purchases/{uuid4()}"
    assert (await api("GET", unknown, by=admin)).code == "not_found"
    assert (await api("POST", f"{unknown}/refunded", {"reason": "x"}, by=admin)).status == 404
    assert (await api("GET", "/api/admin/purchases?state=lost", by=admin)).status == 422
