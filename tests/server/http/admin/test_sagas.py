"""Steps that gave up, seen and tried again."""

from typing import Any
from uuid import uuid4

from identity.roles import Role
from ledger.sagas.steps import GiveUp
from tests.support.payout_desk import asked, earner, steps


async def test_a_step_that_gave_up_is_tried_again(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    runner = api.services.payouts.runner
    hold = runner._steps["payout.hold"]

    async def give_up(task: Any, event: Any) -> None:
        raise GiveUp("look at me")

    runner._steps["payout.hold"] = give_up
    payout = await asked(api, streamer)
    query = f"/api/admin/sagas/tasks?state=dead&stream_id=payout:{payout}"
    [dead] = (await api("GET", query, by=admin)).json["tasks"]
    assert (dead["step"], dead["last_error"]) == ("payout.hold", "GiveUp: look at me")

    runner._steps["payout.hold"] = hold
    retry = f"/api/admin/sagas/tasks/{dead['task_id']}/retry"
    revived = await api("POST", retry, by=admin)
    assert (revived.status, revived.json["state"]) == (200, "due")
    again = await api("POST", retry, by=admin)
    assert (again.status, again.code) == (409, "invalid_transition")
    await steps(api)
    assert (await api.services.payouts.requests.get(payout)).state == "held"
    assert (await api("GET", query, by=admin)).json["tasks"] == []

    unknown = await api("POST", f"/api/admin/sagas/tasks/{uuid4()}/retry", by=admin)
    assert unknown.code == "not_found"
    first = (await api("GET", "/api/admin/sagas/tasks?limit=1", by=admin)).json
    rest = f"/api/admin/sagas/tasks?limit=1&cursor={first['next_cursor']}"
    assert (await api("GET", rest, by=admin)).json["tasks"] != first["tasks"]
    assert (await api("GET", "/api/admin/sagas/tasks?state=lost", by=admin)).status == 422


async def test_how_far_the_readers_are(api: Any) -> None:
    await steps(api)
    reply = await api("GET", "/api/admin/sagas/consumers", by=await api.person(Role.ADMIN))
    [sagas] = [each for each in reply.json["consumers"] if each["consumer"] == "sagas"]
    assert sagas["behind"] == 0
