from typing import Any
from uuid import uuid4

from identity.roles import Role


async def test_writes_are_recorded_and_refusals_too(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}"
    await api("POST", f"{path}/suspend", {"reason": "Fraud."}, by=admin)
    await api("POST", f"{path}/reinstate", by=admin)
    nobody = uuid4()
    await api("POST", f"/api/admin/users/{nobody}/suspend", {"reason": "Fraud."}, by=admin)
    reply = await api("GET", "/api/admin/audit?limit=4", by=admin)
    assert reply.status == 200
    records = reply.json["records"]
    assert [(record["action"], record["subject"], record["details"]) for record in records] == [
        ("user.suspend.refused", f"user:{nobody}", {"code": "not_found"}),
        ("user.suspend", f"user:{nobody}", {"reason": "Fraud."}),
        ("user.reinstate", f"user:{viewer.user_id}", {}),
        ("user.suspend", f"user:{viewer.user_id}", {"reason": "Fraud."}),
    ]
    assert {record["actor_id"] for record in records} == {str(admin.user_id)}
    assert set(records[0]) == {
        "record_id",
        "actor_id",
        "action",
        "subject",
        "details",
        "created_at",
    }


async def test_what_was_never_begun_is_not_recorded(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/users/{viewer.user_id}/suspend"
    await api("POST", path, {"reason": "Fraud."}, by=viewer)
    await api("POST", path, {}, by=admin)
    records = (await api("GET", "/api/admin/audit", by=admin)).json["records"]
    assert {str(viewer.user_id), str(admin.user_id)}.isdisjoint(
        record["actor_id"] for record in records
    )


async def test_the_log_is_paged(api: Any) -> None:
    admin, viewer = await api.person(Role.ADMIN), await api.person()
    for _ in range(3):
        await api("POST", f"/api/admin/users/{viewer.user_id}/reinstate", by=admin)
    first = (await api("GET", "/api/admin/audit?limit=2", by=admin)).json
    cursor = first["next_cursor"]
    rest = (await api("GET", f"/api/admin/audit?limit=1&cursor={cursor}", by=admin)).json
    assert [record["actor_id"] for record in first["records"] + rest["records"]] == [
        str(admin.user_id)
    ] * 3
    ids = [record["record_id"] for record in first["records"] + rest["records"]]
    assert sorted(set(ids), reverse=True) == ids
