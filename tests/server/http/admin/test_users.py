import asyncio
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import connect

from identity.roles import Role


async def test_users_are_found_and_paged(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    others = [await api.person() for _ in range(3)]
    path = f"/api/admin/users?query={api.party}&limit=3"
    first = await api("GET", path, by=admin)
    assert first.status == 200
    assert [user["display_name"] for user in first.json["users"]] == [
        person.name for person in reversed(others)
    ]
    rest = await api("GET", f"{path}&cursor={first.json['next_cursor']}", by=admin)
    assert [user["display_name"] for user in rest.json["users"]] == [admin.name]
    assert rest.json["next_cursor"] is None
    newest = await api("GET", "/api/admin/users?limit=1", by=admin)
    assert [user["user_id"] for user in newest.json["users"]] == [str(others[-1].user_id)]


async def test_suspending_ends_everything(api: Any, offer: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await api.person(Role.STREAMER)
    stream, key = await api.stream(streamer)
    sdp = {"Content-Type": "application/sdp"}
    made = await api("POST", f"/whip/{stream.stream_id}", data=offer(), headers=sdp, by=key)
    async with connect(
        f"ws://127.0.0.1:{api.services.chat.port}/",
        subprotocols=["sociallive.v1.json"],  # type: ignore[list-item]
    ) as chat:
        await chat.send(f'{{"t": "hello", "token": "{streamer.access_token}"}}')
        assert "welcome" in str(await chat.recv())

        path = f"/api/admin/users/{streamer.user_id}"
        suspended = await api("POST", f"{path}/suspend", {"reason": "Fraud."}, by=admin)
        assert (suspended.status, suspended.json["status"]) == (200, "suspended")

        async with asyncio.timeout(5):
            await chat.wait_closed()
        assert chat.close_code == 4003
    assert (await api("GET", "/auth/me", by=streamer)).code == "invalid_token"
    spent = {"refresh_token": streamer.refresh_token}
    assert (await api("POST", "/auth/refresh", spent)).status in (401, 403)
    gone = await api("DELETE", made.headers["Location"], by=key)
    assert gone.code in ("suspended", "unknown_session")
    assert api.services.media.live() == []

    back = await api("POST", f"{path}/reinstate", by=admin)
    assert (back.status, back.json["status"]) == (200, "active")
    assert (await api("DELETE", made.headers["Location"], by=key)).code == "unknown_session"


async def test_roles_are_replaced(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}/roles"
    changed = await api("PUT", path, {"roles": ["streamer", "viewer"]}, by=admin)
    assert (changed.status, changed.json["roles"]) == (200, ["viewer", "streamer"])
    for roles in (["emperor"], [], "admin", ["viewer"] * 5):
        refused = await api("PUT", path, {"roles": roles}, by=admin)
        assert (refused.status, refused.code) == (422, "invalid_request"), roles


async def test_coins_are_granted_once(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}/grants"
    body = {"request_id": str(uuid4()), "amount_minor": 500, "reason": "Welcome."}
    first = await api("POST", path, body, by=admin)
    assert first.status == 201
    assert set(first.json) == {"transaction_id", "balance_minor", "currency"}
    assert first.json["balance_minor"] == 500
    again = await api("POST", path, body, by=admin)
    assert (again.status, again.json) == (200, first.json)
    other = await api("POST", path, body | {"amount_minor": 5}, by=admin)
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    for amount in (0, -5, 10**30, 1.5, "5"):
        bad = body | {"request_id": str(uuid4()), "amount_minor": amount}
        refused = await api("POST", path, bad, by=admin)
        assert (refused.status, refused.code) == (422, "invalid_request"), amount
    balance = (await api("GET", "/api/me/wallet", by=viewer)).json["balance_minor"]
    assert balance == 500


async def test_nobody_is_not_found(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    for method, suffix, body in (
        ("POST", "suspend", {"reason": "x"}),
        ("POST", "reinstate", None),
        ("PUT", "roles", {"roles": ["viewer"]}),
        ("POST", "grants", {"request_id": str(uuid4()), "amount_minor": 1, "reason": "x"}),
        ("GET", "statement", None),
    ):
        reply = await api(method, f"/api/admin/users/{uuid4()}/{suffix}", body, by=admin)
        assert (reply.status, reply.code) == (404, "not_found"), suffix
