"""The chat's ports over the real domains."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from chat import errors as chat_errors
from chat.members import Member, RoomInfo
from config.identity import IdentitySettings
from config.ledger import LedgerSettings
from identity.keys import KeyRing
from identity.service import IdentityService
from identity.store import UserStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from media.catalog import StreamCatalog
from media.store import StreamStore
from server.app import clock
from server.bridges.chat_ports import ChatGifts, ChatStreams, ChatUsers
from server.metrics import Metrics
from server.redis_sessions import RedisSessions
from server.redis_throttle import RedisLoginThrottle


def _identity(pool: asyncpg.Pool, redis: Redis, keys: Path) -> IdentityService:
    return IdentityService(
        IdentitySettings(),
        users=UserStore(pool),
        sessions=RedisSessions(redis),
        throttle=RedisLoginThrottle(redis),
        keys=KeyRing.open(keys, now=clock()),
        clock=clock,
    )


async def test_tokens_are_told_apart(pool: asyncpg.Pool, redis: Redis, tmp_path: Path) -> None:
    identity = _identity(pool, redis, tmp_path / "keys")
    users = ChatUsers(identity)
    signed_in = await identity.register(
        email="vera@example.com", password="correct horse battery", display_name="Vera"
    )
    member = await users.authenticate(signed_in.access_token)
    assert (member.name, member.roles) == ("Vera", frozenset({"viewer"}))
    assert member.expires_at > clock() + timedelta(minutes=14)
    with pytest.raises(chat_errors.InvalidToken):
        await users.authenticate(signed_in.access_token + "x")
    assert await users.roles(member.user_id) == frozenset({"viewer"})
    assert await users.roles(uuid4()) is None
    await identity.suspend(member.user_id)
    with pytest.raises(chat_errors.ChatRefusal):
        await users.authenticate(signed_in.access_token)
    identity.close()


async def test_streams_are_looked_up(pool: asyncpg.Pool) -> None:
    catalog = StreamCatalog(StreamStore(pool), clock)
    stream, _ = await catalog.create(uuid4(), "Stella", "Night drive")
    streams = ChatStreams(catalog)
    assert await streams.stream(stream.stream_id) == RoomInfo(
        stream.stream_id, stream.owner_id, "offline"
    )
    assert await streams.stream(uuid4()) is None


async def test_gifts_are_posted_or_refused_with_the_ledgers_code(pool: asyncpg.Pool) -> None:
    settings = LedgerSettings()
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=lambda: None, observer=Metrics().ledger
    )
    gifts = ChatGifts(ledger)
    payer = Member(uuid4(), "Vera", frozenset({"viewer"}), clock())
    room = RoomInfo(uuid4(), uuid4(), "live")
    request_id = uuid4()
    with pytest.raises(chat_errors.GiftRefused) as caught:
        await gifts.send(member=payer, stream=room, request_id=request_id, gift_id="rose", count=1)
    assert caught.value.code == "insufficient_funds"
    await ledger.grant(
        request_id=uuid4(),
        user_id=payer.user_id,
        amount_minor=100,
        reason="test",
        granted_by=uuid4(),
    )
    receipt = await gifts.send(
        member=payer, stream=room, request_id=request_id, gift_id="rose", count=2
    )
    assert receipt["balance_minor"] == 80
    assert receipt["posted_at"].endswith("Z")
    again = await gifts.send(
        member=payer, stream=room, request_id=request_id, gift_id="rose", count=2
    )
    assert again == receipt
    face = gifts.face("rose")
    assert face is not None
    assert face.name == "Rose"
    assert gifts.face("nothing") is None
