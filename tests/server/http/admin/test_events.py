from typing import Any
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from compliance.aml.intake import Entry
from identity.roles import Role
from server.bus import ConsumerGroupSource
from server.bus.dead_letters import returned_key


async def publish(pool: asyncpg.Pool, sequence: int) -> None:
    await pool.execute(
        "UPDATE ledger.event_cursors SET sequence = greatest(sequence, $1)"
        " WHERE consumer = 'stream'",
        sequence,
    )


async def test_consumers_are_listed_with_their_replays(api: Any, pool: asyncpg.Pool) -> None:
    admin = await api.person(Role.ADMIN)
    await publish(pool, 100)
    body = {"after": 3, "until": 7, "reason": "AML was down"}
    made = await api("POST", "/api/admin/events/kafka/replays", body, by=admin)
    assert made.status == 201
    assert set(made.json) == {
        "replay_id",
        "consumer",
        "position",
        "until",
        "reason",
        "requested_at",
        "finished_at",
    }
    assert (made.json["position"], made.json["until"]) == (3, 7)
    again = await api("POST", "/api/admin/events/kafka/replays", body, by=admin)
    assert again.json == made.json  # an equal one that is open
    listed = await api("GET", "/api/admin/events", by=admin)
    by_name = {each["consumer"]: each for each in listed.json["consumers"]}
    assert set(by_name) == {"aml", "kafka"}
    assert made.json in by_name["kafka"]["replays"]
    assert by_name["aml"]["dead_letters"] == 0
    records = (await api("GET", "/api/admin/audit?limit=2", by=admin)).json["records"]
    assert (records[0]["action"], records[0]["subject"]) == ("events.replay", "consumer:kafka")
    assert records[0]["details"]["after"] == 3


async def test_dead_letters_are_read_sent_back_and_discarded(api: Any, redis: Redis) -> None:
    admin = await api.person(Role.ADMIN)
    group = ConsumerGroupSource(redis, group="aml", consumer="a", claim_idle_ms=1)
    for payload in (b"[1]", b"nonsense", b"[3]"):
        await group.copy_to_dead_letters(Entry("1-1", payload, 5), "poison")
    path = "/api/admin/events/aml/dead-letters"
    first = await api("GET", f"{path}?limit=2", by=admin)
    assert [each["events"] for each in first.json["dead_letters"]] == [[3], "nonsense"]
    cursor = first.json["next_cursor"]
    [last] = (await api("GET", f"{path}?limit=2&cursor={cursor}", by=admin)).json["dead_letters"]
    assert set(last) == {
        "letter_id",
        "entry_id",
        "deliveries",
        "reason",
        "events",
        "set_aside_at",
    }
    letter = f"{path}/{last['letter_id']}"
    assert (await api("POST", f"{letter}/retry", by=admin)).status == 204
    assert await redis.xlen(returned_key("aml")) == 1
    again = await api("POST", f"{letter}/retry", by=admin)
    assert (again.status, again.code) == (404, "not_found")
    other = f"{path}/{first.json['dead_letters'][0]['letter_id']}"
    assert (await api("DELETE", other, by=admin)).status == 204
    assert (await api("DELETE", other, by=admin)).status == 404
    records = (await api("GET", "/api/admin/audit?limit=6", by=admin)).json["records"]
    assert {record["action"] for record in records} >= {"events.retry", "events.discard"}


async def test_bad_requests_about_events(api: Any, pool: asyncpg.Pool) -> None:
    admin = await api.person(Role.ADMIN)
    await publish(pool, 100)
    sound = {"after": 0, "reason": "x"}
    for method, path, body, status in (
        ("POST", "nobody/replays", sound, 404),
        ("POST", "aml/replays", {"after": -1, "reason": "x"}, 422),
        ("POST", "aml/replays", {"after": 10**15, "reason": "x"}, 422),
        ("POST", "aml/replays", {"after": 2**63, "reason": "x"}, 422),
        ("POST", "aml/replays", {"after": 5, "until": 4, "reason": "x"}, 422),
        ("POST", "aml/replays", {"after": 0, "reason": ""}, 422),
        ("POST", "aml/replays", {"after": 0}, 422),
        ("GET", "nobody/dead-letters", None, 404),
        ("GET", "aml/dead-letters?cursor=x", None, 404),
        ("POST", "aml/dead-letters/1-1/retry", None, 404),
        ("POST", f"aml/dead-letters/{uuid4()}/retry", None, 404),
        ("DELETE", "nobody/dead-letters/1-1", None, 404),
    ):
        reply = await api(method, f"/api/admin/events/{path}", body, by=admin)
        assert reply.status == status, (method, path, body)


async def test_an_id_or_name_that_is_none_is_not_found(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    for letter in ("99999999999999999999-0", "0-0", "%00", "%D9%A1-%D9%A1"):
        path = f"/api/admin/events/aml/dead-letters/{letter}"
        assert (await api("POST", f"{path}/retry", by=admin)).status == 404, letter
        assert (await api("DELETE", path, by=admin)).status == 404, letter
        listed = await api("GET", f"/api/admin/events/aml/dead-letters?cursor={letter}", by=admin)
        assert listed.status in (404, 422), letter
    body = {"after": 0, "reason": "x"}
    reply = await api("POST", "/api/admin/events/%00/replays", body, by=admin)
    assert (reply.status, reply.code) == (404, "not_found")
