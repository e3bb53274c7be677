from typing import Any

from identity.roles import Role


async def test_the_trial_balance_is_balanced(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    before = await api("GET", "/api/admin/ledger/trial-balance", by=admin)
    await api.fund(viewer, 500)
    reply = await api("GET", "/api/admin/ledger/trial-balance", by=admin)
    assert reply.status == 200
    assert set(reply.json) == {
        "currency",
        "accounts",
        "total_debit_minor",
        "total_credit_minor",
        "balanced",
    }
    assert reply.json["balanced"]
    assert reply.json["total_debit_minor"] == before.json["total_debit_minor"] + 500
    assert set(reply.json["accounts"][0]) == {
        "code",
        "name",
        "kind",
        "debit_minor",
        "credit_minor",
        "accounts",
    }


async def test_an_admin_reads_anyone_s_statement(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    await api.fund(viewer, 500)
    path = f"/api/admin/users/{viewer.user_id}/statement"
    theirs = await api("GET", path, by=admin)
    assert theirs.json == (await api("GET", "/api/me/statement", by=viewer)).json
    earned = await api("GET", f"{path}?account=earnings", by=admin)
    assert earned.json["lines"] == []


async def test_an_admin_reads_balances_and_exports(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    await api.fund(viewer, 500)
    user = f"/api/admin/users/{viewer.user_id}"
    at = "2999-01-01T00:00:00.000Z"
    theirs = await api("GET", f"{user}/balance?at={at}", by=admin)
    assert theirs.json == {"balance_minor": 500, "currency": "COIN", "at": at}
    house = await api("GET", f"/api/admin/ledger/balance?account=issuance&at={at}", by=admin)
    assert house.json["balance_minor"] <= -500
    before = "1999-01-01T00:00:00.000Z"
    house = await api("GET", f"/api/admin/ledger/balance?account=issuance&at={before}", by=admin)
    assert house.json["balance_minor"] == 0
    wallet = await api("GET", f"/api/admin/ledger/balance?account=wallet&at={at}", by=admin)
    assert wallet.status == 422
    for name in ("statement.csv", "statement.html"):
        theirs = await api("GET", f"{user}/{name}", by=admin)
        assert theirs.status == 200
        assert (await api("GET", f"{user}/{name}", by=viewer)).status == 403
        assert "Coins granted" in theirs.text
