from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from compliance.aml.alerts import raised
from compliance.aml.detection import Detection
from compliance.aml.score import AlertType, Finding
from compliance.aml.store import AmlStore
from identity.roles import Role

FINDING = Finding(
    rule=AlertType.GIFT_VELOCITY,
    score=70,
    explanation="35 gifts in 60 s; the limit is 30.",
    figures={"gifts": 35, "window_s": 60, "limit": 30},
)


async def raise_alert(pool: asyncpg.Pool, user_id: UUID) -> str:
    detection = Detection(user_id, AlertType.GIFT_VELOCITY, uuid4(), (FINDING,), (uuid4(),))
    alert = raised(detection, uuid4(), datetime.now(UTC))
    async with AmlStore(pool).transaction() as transaction:
        await transaction.save(alert)
    return str(alert.alert_id)


async def test_an_alert_is_read_assigned_and_resolved(api: Any, pool: asyncpg.Pool) -> None:
    admin, suspect = await api.person(Role.ADMIN), await api.person()
    alert_id = await raise_alert(pool, suspect.user_id)
    path = f"/api/admin/aml/alerts/{alert_id}"
    shown = await api("GET", path, by=admin)
    assert shown.status == 200
    assert set(shown.json) == {
        "alert_id",
        "user_id",
        "user_name",
        "alert_type",
        "risk_score",
        "status",
        "reasons",
        "event_ids",
        "assigned_to",
        "outcome",
        "note",
        "created_at",
        "updated_at",
        "resolved_at",
    }
    assert (shown.json["user_name"], shown.json["status"]) == (suspect.name, "open")
    assert shown.json["reasons"] == [
        {
            "rule": "gift_velocity",
            "score": 70,
            "explanation": FINDING.explanation,
            "figures": dict(FINDING.figures),
        }
    ]
    listed = await api("GET", "/api/admin/aml/alerts?status=open", by=admin)
    assert shown.json in listed.json["alerts"]

    taken = await api("POST", f"{path}/assign", {"user_id": str(admin.user_id)}, by=admin)
    assert (taken.json["status"], taken.json["assigned_to"]) == ("assigned", str(admin.user_id))
    given_back = await api("POST", f"{path}/assign", {"user_id": None}, by=admin)
    assert (given_back.json["status"], given_back.json["assigned_to"]) == ("open", None)

    verdict = {"outcome": "cleared", "note": "A birthday."}
    resolved = await api("POST", f"{path}/resolve", verdict, by=admin)
    assert (resolved.json["status"], resolved.json["outcome"]) == ("resolved", "cleared")
    assert resolved.json["resolved_at"].endswith("Z")
    again = await api("POST", f"{path}/resolve", verdict, by=admin)
    assert (again.status, again.code) == (409, "invalid_transition")
    listed = await api("GET", "/api/admin/aml/alerts?status=open", by=admin)
    assert alert_id not in {alert["alert_id"] for alert in listed.json["alerts"]}


async def test_bad_requests_about_alerts(api: Any, pool: asyncpg.Pool) -> None:
    admin, suspect = await api.person(Role.ADMIN), await api.person()
    path = f"/api/admin/aml/alerts/{await raise_alert(pool, suspect.user_id)}"
    for method, where, body, status, code in (
        ("GET", f"/api/admin/aml/alerts/{uuid4()}", None, 404, "not_found"),
        ("GET", "/api/admin/aml/alerts?status=closed", None, 422, "invalid_request"),
        ("POST", f"{path}/assign", {"user_id": str(uuid4())}, 404, "not_found"),
        ("POST", f"{path}/assign", {}, 422, "invalid_request"),
        ("POST", f"{path}/resolve", {"outcome": "won", "note": "x"}, 422, "invalid_request"),
        ("POST", f"{path}/resolve", {"outcome": "cleared", "note": ""}, 422, "invalid_request"),
    ):
        reply = await api(method, where, body, by=admin)
        assert (reply.status, reply.code) == (status, code), (where, body)
