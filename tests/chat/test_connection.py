"""Answers come in the order of the questions, and nobody waits for somebody else."""

import asyncio

import pytest

from tests.chat.conftest import ConnectTo, StartNode, World


async def test_requests_of_one_are_served_in_order_and_others_go_on(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node()
    waiting, other = await connect_to(node), await connect_to(node)
    world.user("slow")
    await waiting.send("hello", id=10, token="slow")
    for number in range(11, 31):
        await waiting.send("ping", id=number)
    assert [(await other.ask("ping"))["t"] for _ in range(5)] == ["pong"] * 5
    world.gate.set()
    assert [(await waiting.receive())["id"] for _ in range(21)] == list(range(10, 31))


async def test_what_does_not_answer_in_time_is_unavailable(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(store_timeout_s=0.1)
    client = await connect_to(node)
    assert (await client.ask("hello", token="slow"))["code"] == "unavailable"
    assert (await client.ask("ping"))["t"] == "pong"


async def test_one_that_leaves_while_it_waits_leaves_nothing(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    watcher = await connect_to(node, join=stream_id)
    client = await connect_to(node, join=stream_id)
    await watcher.until("viewers", count=2)
    world.user("slow")
    await client.send("hello", token="slow")
    client.socket.transport.abort()
    world.gate.set()
    await watcher.until("viewers", count=1)
    assert (node.figures.connections, node.figures.members) == (1, 1)


async def test_a_refused_hello_changes_nothing(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    client = await connect_to(node, world.user("ann"), join=stream_id)
    assert (await client.ask("hello", token="nonsense"))["code"] == "invalid_token"
    assert (await client.ask("say", stream_id=stream_id, text="still ann"))["t"] == "ok"
    assert (await client.ask("hello"))["user"] is None
    answer = await client.ask("say", stream_id=stream_id, text="a guest now")
    assert answer["code"] == "unauthenticated"


async def test_nothing_is_served_after_the_end(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    client = await connect_to(node, world.user("ann"), join=stream_id)
    world.user("slow")
    await client.send("hello", token="slow")
    await client.send("say", stream_id=stream_id, text="too late")
    while node.counters.frames_in < 3:
        await asyncio.sleep(0.001)
    await node.disconnect_user(world.members["ann"].user_id)
    world.gate.set()
    assert await client.closed() == 4003
    assert node.counters.messages == 0


@pytest.mark.parametrize("ttl_s", [-5.0, 0.0])
async def test_a_token_that_is_over_makes_a_guest_at_once(
    ttl_s: float, world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node()
    client = await connect_to(node, world.user("ann", ttl_s=ttl_s))
    assert await client.until("expired") == {"t": "expired"}
