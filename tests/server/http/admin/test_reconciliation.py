"""Runs, settlement files and the work list over HTTP."""

from typing import Any
from uuid import uuid4

from identity.roles import Role
from tests.support.settlements import settlement

CSV = {"Content-Type": "text/csv"}
RUNS, WORK = "/api/admin/reconciliations", "/api/admin/differences"


def a_file(*rows: str) -> bytes:
    """A file that no other test has."""
    return settlement(*rows, f"{uuid4()},only-{uuid4()},0.01,EUR,2026-01-10")


async def test_the_ledger_is_compared_once_an_id(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    path = f"{RUNS}/{uuid4()}"
    assert (await api("GET", path, by=admin)).code == "not_found"
    made = await api("PUT", path, by=admin)
    assert made.status == 200
    assert (made.json["kind"], made.json["source"]) == ("internal", "ledger")
    assert made.json["started_by"] == str(admin.user_id)
    assert (await api("PUT", path, by=admin)).json == made.json
    assert (await api("GET", path, by=admin)).json == made.json
    listed = (await api("GET", f"{RUNS}?limit=1", by=admin)).json
    assert listed["reconciliations"] == [made.json]
    rest = (await api("GET", f"{RUNS}?cursor={listed['next_cursor']}", by=admin)).json
    assert made.json not in rest["reconciliations"]
    entries = (await api("GET", "/api/admin/audit?limit=10", by=admin)).json["records"]
    assert "reconciliation.compare" in {entry["action"] for entry in entries}


async def test_a_file_is_taken_and_its_difference_resolved(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    run_id, content = uuid4(), a_file()
    path = f"/api/admin/settlements/default/{run_id}"
    taken = await api("PUT", path, data=content, headers=CSV, by=admin)
    assert taken.status == 200
    assert (taken.json["kind"], taken.json["checked"]) == ("settlement", 1)
    assert (await api("PUT", path, data=content, headers=CSV, by=admin)).json == taken.json
    other = f"/api/admin/settlements/default/{uuid4()}"
    repeated = await api("PUT", other, data=content, headers=CSV, by=admin)
    assert (repeated.status, repeated.code) == (409, "duplicate_file")
    same_id = await api("PUT", path, data=a_file(), headers=CSV, by=admin)
    assert (same_id.status, same_id.code) == (409, "idempotency_mismatch")

    [line] = [
        each
        for each in (await api("GET", f"{WORK}?state=open", by=admin)).json["differences"]
        if each["reconciliation_id"] == str(run_id)
    ]
    assert line["check_name"] == "settlement default"
    difference = f"{WORK}/{line['difference_id']}"
    mine = await api("POST", f"{difference}/assign", {"user_id": str(admin.user_id)}, by=admin)
    assert (mine.json["state"], mine.json["assigned_to"]) == ("assigned", str(admin.user_id))
    stranger = await api("POST", f"{difference}/assign", {"user_id": str(uuid4())}, by=admin)
    assert stranger.status == 404
    empty = await api("POST", f"{difference}/resolve", {"note": " "}, by=admin)
    assert (empty.status, empty.json["errors"][0]["field"]) == (422, "note")
    done = await api("POST", f"{difference}/resolve", {"note": "their fee"}, by=admin)
    assert (done.json["state"], done.json["note"]) == ("resolved", "their fee")
    again = await api("POST", f"{difference}/resolve", {"note": "their fee"}, by=admin)
    assert (again.status, again.code) == (409, "invalid_transition")
    resolved = (await api("GET", f"{WORK}?state=resolved&limit=1", by=admin)).json
    assert resolved["differences"] == [done.json]
    assert resolved["next_cursor"] == line["difference_id"]
    unknown = await api("POST", f"{WORK}/{uuid4()}/resolve", {"note": "x"}, by=admin)
    assert unknown.code == "not_found"


async def test_a_bad_file_is_refused_with_its_line(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    path = f"/api/admin/settlements/default/{uuid4()}"
    bad = await api("PUT", path, data=a_file("t1,A,lots,EUR,2026-01-10"), headers=CSV, by=admin)
    assert (bad.status, bad.json["errors"][0]["field"]) == (422, "line 2")
    unknown = path.replace("default", "nobody")
    assert (await api("PUT", unknown, data=a_file(), headers=CSV, by=admin)).code == "not_found"
    assert (await api("GET", f"{WORK}?state=lost", by=admin)).status == 422
