"""The demo's accounts."""

from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from config.identity import IdentitySettings
from config.ledger import LedgerSettings
from identity.keys import KeyRing
from identity.service import IdentityService
from identity.store import UserStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.app import clock
from server.demo.accounts import ADMIN, COINS, STREAMER, VIEWER, DemoAccount, ensure_account
from server.embedded.folder import DataFolder
from server.metrics import Metrics
from server.redis_sessions import RedisSessions
from server.redis_throttle import RedisLoginThrottle


@pytest.mark.parametrize("account", [VIEWER, STREAMER, ADMIN], ids=lambda each: each.label)
async def test_an_account_is_made_once_and_gets_its_coins_once(
    account: DemoAccount, pool: asyncpg.Pool, redis: Redis, data_dir: Path
) -> None:
    folder = DataFolder(data_dir)
    identity = IdentityService(
        IdentitySettings(),
        users=UserStore(pool),
        sessions=RedisSessions(redis),
        throttle=RedisLoginThrottle(redis),
        keys=KeyRing.open(folder.path / "keys", now=clock()),
        clock=clock,
    )
    settings = LedgerSettings()
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=lambda: None, observer=Metrics().ledger
    )
    first = await ensure_account(account, identity, ledger, folder)
    second = await ensure_account(account, identity, ledger, folder)
    assert first == second
    assert first.user.roles == account.roles
    wallet = await ledger.wallet(first.user.user_id)
    assert wallet.balance_minor == (COINS if account.has_coins else 0)
    signed_in = await identity.login(email=account.email, password=first.password)
    assert signed_in.user == first.user
    identity.close()
    folder.release()
