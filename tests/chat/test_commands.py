"""Every request has its handler, and handlers leave nothing half done."""

from typing import get_args
from uuid import uuid4

from redis.asyncio import Redis

from chat.commands import HANDLERS
from chat.protocol import ROUTES
from chat.requests import Request
from tests.chat.conftest import ConnectTo, StartNode, World


def test_every_request_has_a_handler() -> None:
    assert set(HANDLERS) == set(get_args(Request))
    readers = {route.read.__self__ for route in ROUTES.values()}  # type: ignore[attr-defined]
    assert readers == set(HANDLERS)


async def test_a_message_that_is_not_kept_is_not_shown(
    world: World, start_node: StartNode, connect_to: ConnectTo, redis: Redis
) -> None:
    node, stream_id = await start_node(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=stream_id)
    key = f"sociallive:chat:{{{stream_id}}}:ids"
    await redis.set(key, "of another kind")
    assert (await ann.ask("say", stream_id=stream_id, text="lost"))["code"] == "unavailable"
    await redis.delete(key)
    assert (await ann.ask("say", stream_id=stream_id, text="kept"))["t"] == "ok"
    assert (await ann.until("message"))["text"] == "kept"


async def test_joining_again_is_joining_once(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=stream_id)
    again = await ann.ask("join", stream_id=stream_id)
    assert (again["t"], again["viewers"], node.figures.members) == ("joined", 1, 1)
    await ann.ask("say", stream_id=stream_id, text="once")
    await ann.until("message")
    await ann.ask("leave", stream_id=stream_id)
    assert node.figures.members == 0
    assert not [event for event in ann.events if event["t"] == "message"]


async def test_a_gift_is_no_message_to_delete(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream("owner")
    owner = await connect_to(node, "owner", join=stream_id)
    answer = await owner.ask("delete", stream_id=stream_id, message_id=uuid4())
    assert answer["code"] == "unknown_message"


async def test_many_rooms_of_one_connection_are_kept_apart(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, one, two = await start_node(), world.stream(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=one)
    bob = await connect_to(node, world.user("bob"), join=two)
    await ann.ask("join", stream_id=two)
    await bob.ask("say", stream_id=two, text="two")
    assert (await ann.until("message"))["stream_id"] == str(two)
    await ann.ask("say", stream_id=one, text="one")
    assert (await ann.until("message"))["stream_id"] == str(one)
    await ann.ask("say", stream_id=two, text="three")
    assert [(await bob.until("message"))["text"] for _ in range(2)] == ["two", "three"]
