"""The chat end to end: real clients, real Redis, one node or two."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from chat.errors import CloseCode
from ledger.events import CoinsGranted, GiftSent, LedgerEvent
from tests.chat.conftest import JSON, MSGPACK, ConnectTo, StartNode, World


async def test_say_reaches_everyone_in_both_subprotocols_once(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node, stream_id = await start_node(), world.stream()
    ann = await connect_to(node, world.user("ann"), join=stream_id, subprotocol=JSON)
    guest = await connect_to(node, join=stream_id, subprotocol=MSGPACK)
    answer = await ann.ask("say", stream_id=stream_id, text="  héllo\u202e\x07 ")
    assert answer["t"] == "ok"
    shown = [await client.until("message") for client in (ann, guest)]
    assert shown[0] == shown[1]
    assert shown[0]["text"] == "héllo"
