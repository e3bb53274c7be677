"""Notices of the payout provider: signed, or turned away."""

import time
from typing import Any
from uuid import uuid4

import orjson

from identity.roles import Role
from ledger.payouts.notices import signature
from tests.server.http.conftest import NOTICE_KEY
from tests.support.payout_desk import asked, earner, steps

PATH = "/api/payouts/notices"


async def sent(api: Any) -> str:
    """A payout that an admin has sent in a file."""
    payout = await asked(api, await earner(api))
    admin = await api.person(Role.ADMIN)
    await api("PUT", f"/api/admin/payout-batches/{uuid4()}", by=admin)
    await steps(api)
    return payout


def notice(payout: str, **fields: Any) -> bytes:
    sound = {
        "id": f"evt_{uuid4()}",
        "payout_id": payout,
        "status": "settled",
        "amount_minor": 5_000,
        "currency": "COIN",
    }
    return orjson.dumps(sound | fields)


async def tell(
    api: Any, body: bytes, key: str = NOTICE_KEY, late_s: int = 0, **headers: str
) -> Any:
    header = signature(key.encode(), int(time.time()) - late_s, body)
    return await api(
        "POST",
        PATH,
        data=body,
        headers={"Content-Type": "application/json", "Payout-Signature": header} | headers,
    )


async def test_a_signed_notice_is_taken_once(api: Any) -> None:
    payout = await sent(api)
    body = notice(payout)
    assert (await tell(api, body)).json == {"meaning": "news"}
    assert (await tell(api, body)).json == {"meaning": "known"}
    await steps(api)
    assert (await api.services.payouts.requests.get(payout)).state == "settled"


async def test_what_is_not_signed_now_by_the_provider_is_turned_away(api: Any) -> None:
    payout = await sent(api)
    body = notice(payout)
    for reply in (
        await tell(api, body, key="x" * 32),
        await tell(api, body, late_s=301),
        await tell(api, body, late_s=-301),
        await tell(api, body, **{"Payout-Signature": "t=1,v1=00"}),
    ):
        assert (reply.status, reply.code) == (401, "invalid_signature")
    unsigned = await api("POST", PATH, data=body, headers={"Content-Type": "application/json"})
    assert (unsigned.status, unsigned.code) == (401, "unauthenticated")
    admin = await api("POST", PATH, data=body, by=await api.person(Role.ADMIN))
    assert admin.status == 401
    assert (await api.services.payouts.requests.get(payout)).state == "sent"


async def test_what_can_t_be_understood_is_refused(api: Any) -> None:
    payout = await sent(api)
    for body in (b"{", b"[]", notice(payout, status="paid"), notice(str(uuid4()))):
        reply = await tell(api, body)
        assert (reply.status, reply.code) == (422, "invalid_request")


async def test_a_wrong_amount_is_taken_and_shown_to_admins(api: Any) -> None:
    payout = await sent(api)
    reply = await tell(api, notice(payout, amount_minor=1))
    assert (reply.status, reply.json) == (200, {"meaning": "contradiction"})
    admin = await api.person(Role.ADMIN)
    listed = await api("GET", "/api/admin/payouts?attention=true", by=admin)
    assert payout in [each["payout_id"] for each in listed.json["payouts"]]
