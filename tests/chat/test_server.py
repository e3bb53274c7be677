"""The chat end to end: real clients, real Redis, one node or two."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from chat.errors import CloseCode
from ledger.events import CoinsGranted, GiftSent, LedgerEvent
from tests.chat.conftest import JSON, MSGPACK, Client, ConnectTo, StartNode, World


def gift_event(stream_id: UUID, payer_id: UUID, gift_id: str = "rose") -> LedgerEvent:
    sent = GiftSent(
        transaction_id=uuid4(),
        request_id=uuid4(),
        stream_id=stream_id,
        payer_id=payer_id,
        payer_name="ann",
        payee_id=uuid4(),
        gift_id=gift_id,
        count=2,
        total_minor=20,
        fee_minor=6,
        currency="COIN",
        payer_balance_minor=480,
        payee_balance_minor=14,
    )
    return LedgerEvent(uuid4(), 1, "gift.sent", 1, datetime.now(UTC), sent)


async def test_say_reaches_everyone_in_both_subprotocols_once(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=stream_id, subprotocol=JSON)
    guest = await connect_to(node, join=stream_id, subprotocol=MSGPACK)
    for text in ("  héllo\u202e\x07 ", "again"):
        assert (await ann.ask("say", stream_id=stream_id, text=text))["t"] == "ok"
    to_ann, to_guest = [
        [await client.until("message") for _ in range(2)] for client in (ann, guest)
    ]
    assert [event["text"] for event in to_ann] == ["héllo", "again"]
    assert to_ann == to_guest
    newcomer = await connect_to(node)
    assert (await newcomer.ask("join", stream_id=stream_id))["history"] == to_ann
    assert node.counters.messages == 2


async def test_welcome_tells_limits_and_user(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(messages_per_10_s=7)
    client = await connect_to(node, hello=False)
    token = world.user("ann", "viewer", "streamer")
    welcome = await client.ask("hello", token=token)
    assert welcome == {
        "t": "welcome",
        "id": 1,
        "user": {
            "user_id": str(world.members["ann"].user_id),
            "name": "ann",
            "roles": ["streamer", "viewer"],
        },
        "limits": {"max_frame_bytes": 4096, "max_text_chars": 500, "messages_per_10_s": 7},
        "ping_s": 20,
    }
    assert (await client.ask("ping"))["t"] == "pong"


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_refusals_name_their_code_and_the_connection_goes_on(
    subprotocol: str, world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(max_rooms_per_connection=1), world.stream()
    guest = await connect_to(node, subprotocol=subprotocol)
    ann = await connect_to(node, world.user("ann"), subprotocol=subprotocol)
    here = {"stream_id": stream_id}
    gift = {"request_id": uuid4(), "gift_id": "rose"}
    asked: list[tuple[Client, str, dict[str, Any], str]] = [
        (guest, "join", {"stream_id": uuid4()}, "unknown_stream"),
        (guest, "say", {**here, "text": "x"}, "unauthenticated"),
        (guest, "gift", {**here, **gift, "count": 1}, "unauthenticated"),
        (guest, "delete", {**here, "message_id": uuid4()}, "unauthenticated"),
        (guest, "dance", {}, "unknown_type"),
        (guest, "hello", {"token": "nonsense"}, "invalid_token"),
        (guest, "hello", {"token": "expired"}, "expired_token"),
        (guest, "hello", {"token": "broken"}, "unavailable"),
        (ann, "say", {**here, "text": "x"}, "not_joined"),
        (ann, "leave", here, "not_joined"),
        (ann, "join", here, ""),
        (ann, "join", {"stream_id": world.stream()}, "too_many_rooms"),
        (ann, "join", here, ""),
        (ann, "say", {**here, "text": " \u200b "}, "empty_text"),
        (ann, "say", {**here, "text": "x" * 501}, "text_too_long"),
        (ann, "say", {"stream_id": "here", "text": "x"}, "bad_frame"),
        (ann, "delete", {**here, "message_id": uuid4()}, "forbidden"),
        (ann, "timeout", {**here, "user_id": uuid4(), "seconds": 1}, "forbidden"),
        (ann, "gift", {**here, **gift, "count": 0}, "invalid_count"),
        (ann, "gift", {**here, **gift, "count": -3}, "invalid_count"),
        (ann, "gift", {**here, **gift, "count": 101}, "insufficient_funds"),
        (ann, "leave", here, ""),
    ]
    for client, t, fields, code in asked:
        answer = await client.ask(t, **fields)
        assert answer.get("code", "") == code, (t, fields, answer)
        assert bool(answer.get("message")) == bool(code)
    assert world.gifts == []


async def test_gift_is_receipted_and_shown_only_through_the_ledger(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=stream_id)
    request_id = uuid4()
    receipt = await ann.ask(
        "gift", stream_id=stream_id, request_id=request_id, gift_id="rose", count=2
    )
    assert receipt == {"t": "receipt", "id": 3, "request_id": str(request_id), "total_minor": 2}
    assert world.gifts[0]["stream"].stream_id == stream_id

    event = gift_event(stream_id, world.members["ann"].user_id)
    grant = CoinsGranted(uuid4(), uuid4(), uuid4(), uuid4(), 1, "COIN", 1, "")
    await node.publish_gift(LedgerEvent(uuid4(), 0, "coins.granted", 1, datetime.now(UTC), grant))
    await node.publish_gift(event)
    await node.publish_gift(event)
    await node.publish_gift(gift_event(stream_id, uuid4(), gift_id="retired"))
    first, second = await ann.until("gift"), await ann.until("gift")
    assert first["event_id"] == str(event.event_id)
    assert (first["name"], first["emoji"], first["total_minor"]) == ("Rose", "🌹", 20)
    assert (second["name"], second["emoji"]) == ("retired", "🎁")
    newcomer = await connect_to(node)
    history = (await newcomer.ask("join", stream_id=stream_id))["history"]
    assert history == [first, second]


async def test_gift_for_a_room_without_members_is_in_its_history(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    await node.publish_gift(gift_event(stream_id, uuid4()))
    client = await connect_to(node)
    assert len((await client.ask("join", stream_id=stream_id))["history"]) == 1


async def test_two_nodes_are_one_chat(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    near, far, stream_id = await start_node(), await start_node(), world.stream()
    ann = await connect_to(near, world.user("ann"), join=stream_id)
    bob = await connect_to(far, world.user("bob"), join=stream_id, subprotocol=JSON)
    for client in (ann, bob):
        await client.until("viewers", count=2)

    says = [
        (client, await client.ask("say", stream_id=stream_id, text=f"{number}"))
        for number in range(5)
        for client in (ann, bob)
    ]
    for client in (ann, bob):
        for _ in says:
            await client.until("message")
    orders = []
    for node in (near, far):
        watcher = await connect_to(node)
        history = (await watcher.ask("join", stream_id=stream_id))["history"]
        orders.append([event["message_id"] for event in history])
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(answer["message_id"] for _, answer in says)

    event = gift_event(stream_id, world.members["ann"].user_id)
    for node in (near, far):
        await node.publish_gift(event)
    assert (await bob.until("gift"))["event_id"] == str(event.event_id)

    await near.stream_state(stream_id, "interrupted")
    assert (await bob.until("stream"))["state"] == "interrupted"
    late = await connect_to(far)
    joined = await late.ask("join", stream_id=stream_id)
    assert joined["state"] == "interrupted"
    assert [shown["t"] for shown in joined["history"]].count("gift") == 1


async def test_viewers_are_counted_over_nodes_and_when_they_leave(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    near, far, stream_id = await start_node(), await start_node(), world.stream()
    watcher = await connect_to(near, join=stream_id)
    others = [await connect_to(far, join=stream_id) for _ in range(3)]
    await watcher.until("viewers", count=4)
    late = await connect_to(near)
    assert (await late.ask("join", stream_id=stream_id))["viewers"] == 5
    await others[0].ask("leave", stream_id=stream_id)
    await others[1].socket.close()
    await watcher.until("viewers", count=3)
    await far.stop()
    await watcher.until("viewers", count=2)


async def test_moderation_holds_on_every_node(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    near, far, stream_id = await start_node(), await start_node(), world.stream("owner")
    owner = await connect_to(near, "owner", join=stream_id)
    mod = await connect_to(far, world.user("mod", "moderator"), join=stream_id)
    ann = await connect_to(far, world.user("ann"), join=stream_id)
    user_id = world.members["ann"].user_id

    said = await ann.ask("say", stream_id=stream_id, text="rude")
    shown = await owner.until("message")
    deletion = {"stream_id": stream_id, "message_id": shown["message_id"]}
    assert (await owner.ask("delete", **deletion))["t"] == "ok"
    deleted = await mod.until("deleted")
    assert deleted["message_id"] == said["message_id"]
    assert (await mod.ask("delete", **deletion))["code"] == "unknown_message"

    timeout = {"stream_id": stream_id, "user_id": user_id}
    assert (await mod.ask("timeout", **timeout, seconds=60))["t"] == "ok"
    timed_out = await owner.until("timed_out")
    await ann.until("timed_out")
    refusal = await ann.ask("say", stream_id=stream_id, text="again")
    assert (refusal["code"], refusal["until"]) == ("timed_out", timed_out["until"])

    third = await start_node()
    elsewhere = await connect_to(third, "ann", join=stream_id)
    refusal = await elsewhere.ask("say", stream_id=stream_id, text="from another node")
    assert refusal["code"] == "timed_out"

    assert (await owner.ask("timeout", **timeout, seconds=0))["t"] == "ok"
    assert (await elsewhere.until("timed_out"))["until"] is None
    assert (await elsewhere.ask("say", stream_id=stream_id, text="sorry"))["t"] == "ok"
    await elsewhere.until("message")

    world.user("admin", "admin")
    for name in ("owner", "admin"):
        protected = world.members[name].user_id
        answer = await mod.ask("timeout", stream_id=stream_id, user_id=protected, seconds=9)
        assert answer["code"] == "forbidden"
    answer = await mod.ask("timeout", stream_id=stream_id, user_id=uuid4(), seconds=9)
    assert answer["code"] == "unknown_user"
    newcomer = await connect_to(third)
    history = (await newcomer.ask("join", stream_id=stream_id))["history"]
    assert [event["text"] for event in history] == ["sorry"]


async def test_message_rate_is_of_the_user_not_of_the_connection(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(messages_per_10_s=4), world.stream()
    token = world.user("ann")
    clients = [await connect_to(node, token, join=stream_id) for _ in range(2)]
    answers = [
        await client.ask("say", stream_id=stream_id, text="x")
        for _ in range(3)
        for client in clients
    ]
    assert [answer["t"] for answer in answers] == ["ok"] * 4 + ["refused"] * 2
    assert answers[-1]["code"] == "rate_limited"
    assert 0 < answers[-1]["retry_after_ms"] <= 2500
    assert node.counters.refused["rate_limited"] == 2


async def test_expired_token_makes_a_guest(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    client = await connect_to(node, world.user("ann", ttl_s=0.2), join=stream_id)
    await client.until("expired")
    answer = await client.ask("say", stream_id=stream_id, text="x")
    assert answer["code"] == "unauthenticated"
    assert (await client.ask("hello", token=world.user("ann")))["t"] == "welcome"
    assert (await client.ask("say", stream_id=stream_id, text="x"))["t"] == "ok"


async def test_disconnect_user_ends_all_their_connections(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    near, far, stream_id = await start_node(), await start_node(), world.stream()
    token = world.user("ann")
    clients = [await connect_to(node, token, join=stream_id) for node in (near, far)]
    guest = await connect_to(far, join=stream_id)
    checked = await connect_to(near, hello=False)
    world.user("slow", "viewer")
    world.members["slow"] = world.members["ann"]
    await checked.send("hello", token="slow")
    await near.disconnect_user(world.members["ann"].user_id)
    assert [await client.closed() for client in clients] == [4003, 4003]
    world.gate.set()
    assert await checked.closed() == 4003
    assert (await guest.ask("ping"))["t"] == "pong"
    assert near.counters.closed[CloseCode.SIGNED_OUT] == 2


async def test_stop_tells_clients_and_leaves_nothing(
    world: World, start_node: StartNode, connect_to: ConnectTo, redis: Redis
) -> None:
    node, stream_id = await start_node(), world.stream()
    clients = [await connect_to(node, join=stream_id) for _ in range(3)]
    await clients[0].until("viewers", count=3)
    assert (node.figures.connections, node.figures.rooms, node.figures.members) == (3, 1, 3)
    _, *codes = await asyncio.gather(node.stop(), *(client.closed() for client in clients))
    assert codes == [1001] * 3
    assert (node.figures.connections, node.figures.rooms) == (0, 0)
    assert await redis.exists(f"sociallive:chat:{{{stream_id}}}:viewers") == 0
    assert await redis.pubsub_channels() == []


async def test_a_taken_port_is_an_error(start_node: StartNode) -> None:
    node = await start_node()
    with pytest.raises(OSError):
        await start_node(port=node.port)


async def test_without_a_bus_it_does_not_start(start_node: StartNode) -> None:
    with pytest.raises(TimeoutError):
        await start_node(redis_url="redis://127.0.0.1:1", store_timeout_s=0.1)


async def test_a_break_of_the_bus_loses_no_message(
    world: World, start_node: StartNode, connect_to: ConnectTo, redis: Redis
) -> None:
    near, far, stream_id = await start_node(), await start_node(), world.stream()
    ann = await connect_to(near, world.user("ann"), join=stream_id)
    bob = await connect_to(far, join=stream_id)
    await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    answers = [await ann.ask("say", stream_id=stream_id, text=f"{n}") for n in range(3)]
    seen = [(await bob.until("message"))["message_id"] for _ in answers]
    assert seen == [answer["message_id"] for answer in answers]
