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
