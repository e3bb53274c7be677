"""The HTTP application over real domains and real stores, and people who call it."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis

from chat.ports import ChatPorts
from chat.server import ChatServer
from compliance.aml.service import AlertService
from compliance.aml.store import AmlStore
from compliance.audit import AuditLog
from config.chat import ChatSettings
from config.http import HttpSettings
from config.identity import IdentitySettings
from config.ledger import LedgerSettings
from config.media import MediaSettings
from config.payouts import HttpProviderSettings, PayoutSettings
from identity.keys import KeyRing
from identity.roles import Role
from identity.service import IdentityService
from identity.store import UserStore
from ledger.event_store.database import Database
from ledger.evidence.checkpoint_desk import CheckpointDesk
from ledger.reconcile.service import Reconciler
from ledger.replays import ReplayStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from ledger.store.reconcile import ReconcileStore
from media.catalog import Stream, StreamCatalog
from media.local import LocalMedia
from media.store import StreamStore
from server.bridges.chat_ports import ChatGifts, ChatStreams, ChatUsers
from server.bridges.payout_check import PayoutCheck
from server.bus import NewestBatches
from server.chat_redis import RedisBus, RedisHistory, RedisModerationStore, RedisPresence
from server.consumers import EventConsumers
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.gateway.limits import RateLimiter
from server.gateway.listener import HttpListener
from server.health import Readiness
from server.http.app import build_http_app
from server.metrics import Metrics
from server.migrations import migrate
from server.payouts import build_payouts
from server.redis_sessions import RedisSessions
from server.redis_throttle import RedisLoginThrottle
from server.services import Services

PASSWORD = "correct horse battery"
NOTICE_KEY = "n" * 32
PAYOUTS = PayoutSettings(http=HttpProviderSettings(webhook_secrets=(SecretStr(NOTICE_KEY),)))


def clock() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http_database(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis],
) -> AsyncIterator[str]:
    """One database for all of these tests, who leave each other's people alone: making one takes
    longer than most of them."""
    postgres, _ = stores
    url = f"{postgres.url.rpartition('/')[0]}/test_http"
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute("CREATE DATABASE test_http OWNER sociallive")
    connection = await asyncpg.connect(url)
    await migrate(connection)
    await connection.close()
    yield url
    await admin.execute("DROP DATABASE test_http WITH (FORCE)")
    await admin.close()


@pytest.fixture
def database_url(http_database: str) -> str:
    """In place of a database of the test's own."""
    return http_database


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"), now=clock())


@pytest.fixture(scope="session")
def checkpoint_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the keys that sign checkpoints."""
    return tmp_path_factory.mktemp("checkpoint-keys")


@pytest.fixture
async def services(
    pool: asyncpg.Pool, redis: Redis, keys: KeyRing, checkpoint_keys: Path
) -> AsyncIterator[Services]:
    """All domains, started; nothing publishes the ledger's events."""
    metrics = Metrics()
    identity = IdentityService(
        IdentitySettings(argon2_memory_kib=7_168, argon2_iterations=1, argon2_lanes=1),
        users=UserStore(pool),
        sessions=RedisSessions(redis),
        throttle=RedisLoginThrottle(redis),
        keys=keys,
        clock=clock,
    )
    ledger_settings = LedgerSettings(payouts=PAYOUTS)
    ledger = LedgerService(
        ledger_settings,
        LedgerStore(pool, ledger_settings),
        wake=lambda: None,
        observer=metrics.ledger,
    )
    alerts = AlertService(AmlStore(pool), clock=clock)
    payouts = build_payouts(
        pool, ledger_settings, ledger, PayoutCheck(alerts, identity), clock=clock
    )
    catalog = StreamCatalog(StreamStore(pool), clock)
    chat_settings = ChatSettings(port=0)
    users = ChatUsers(identity)
    chat = ChatServer(
        chat_settings,
        ChatPorts(
            authenticator=users,
            users=users,
            streams=ChatStreams(catalog),
            gifts=ChatGifts(ledger),
            bus=RedisBus(redis),
            history=RedisHistory(redis, chat_settings),
            moderation=RedisModerationStore(redis, chat_settings),
            presence=RedisPresence(redis, chat_settings, "test"),
        ),
        clock=clock,
    )
    media = LocalMedia(MediaSettings(udp_port=0), on_event=lambda _: None)

    async with contextlib.AsyncExitStack() as stack:
        stack.callback(identity.close)
        stack.push_async_callback(chat.stop)
        await chat.start()
        stack.push_async_callback(media.stop)
        await media.start()
        yield Services(
            identity=identity,
            ledger=ledger,
            payouts=payouts,
            reconciler=Reconciler(
                ReconcileStore(pool),
                ledger_settings.reconcile,
                published=NewestBatches(redis),
                clock=clock,
            ),
            checkpoints=CheckpointDesk(EvidenceStore(pool), checkpoint_keys),
            alerts=alerts,
            audit=AuditLog(pool, clock=clock),
            consumers=EventConsumers(
                ReplayStore(
                    Database(pool, acquire_timeout_s=5, statement_timeout_s=5),
                    clock=clock,
                    new_id=uuid4,
                ),
                redis,
            ),
            catalog=catalog,
            media=media,
            chat=chat,
            readiness=Readiness(
                {
                    "postgresql": partial(pool.fetchval, "SELECT 1"),
                    "redis": redis.ping,
                    "media": media.check,
                }
            ),
            metrics=metrics,
        )


@pytest.fixture
def http_settings() -> HttpSettings:
    """Without rate limits: tests are faster than people."""
    return HttpSettings(port=0, rate_limits=False)


@pytest.fixture
def pages_folder(tmp_path: Path) -> Path:
    return tmp_path / "pages"


@pytest.fixture
def app(
    services: Services, http_settings: HttpSettings, redis: Redis, pages_folder: Path
) -> web.Application:
    limiter = RateLimiter(redis, http_settings)
    return build_http_app(services, http_settings, limiter, pages_folder=pages_folder)


@dataclass(frozen=True)
class Reply:
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = None

    @property
    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        assert self.json["status"] == self.status
        assert self.json["request_id"] == self.headers["X-Request-Id"]
        code: str = self.json["code"]
        return code


@dataclass(frozen=True)
class Person:
    """Somebody signed in."""

    user_id: UUID
    name: str
    access_token: str
    refresh_token: str


@dataclass
class Api:
    """Calls the server over a real connection."""

    session: aiohttp.ClientSession
    services: Services
    url: str
    party: str = field(default_factory=lambda: f"P{secrets.token_hex(4)}")
    """What the names of this test's people begin with."""
    _people: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: Person | str | None = None,
        **options: Any,
    ) -> Reply:
        """Send `body` as JSON; `by` is a person or a bare bearer."""
        headers = dict(options.pop("headers", {}))
        if by is not None:
            token = by.access_token if isinstance(by, Person) else by
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            options["json"] = body
        async with self.session.request(
            method, self.url + path, headers=headers, **options
        ) as response:
            text = await response.text()
            parsed = (
                await response.json(content_type=None) if "json" in response.content_type else None
            )
            return Reply(response.status, response.headers, text, parsed)

    async def person(self, *roles: Role) -> Person:
        """A new user with these roles, signed in."""
        name = f"{self.party} {next(self._people)}"
        email = f"{name.replace(' ', '-')}@example.org"
        await self.services.identity.create_user(
            email=email, password=PASSWORD, display_name=name, roles=roles or (Role.VIEWER,)
        )
        signed_in = await self.services.identity.login(email=email, password=PASSWORD)
        return Person(signed_in.user.user_id, name, signed_in.access_token, signed_in.refresh_token)

    async def stream(self, owner: Person, title: str = "Chess") -> tuple[Stream, str]:
        """A new stream and its key."""
        return await self.services.catalog.create(owner.user_id, owner.name, title)

    async def fund(self, person: Person, amount_minor: int) -> None:
        """Give coins."""
        await self.services.ledger.grant(
            request_id=uuid4(),
            user_id=person.user_id,
            amount_minor=amount_minor,
            reason="test",
            granted_by=uuid4(),
        )


@pytest.fixture
async def api(
    app: web.Application, services: Services, http_settings: HttpSettings
) -> AsyncIterator[Api]:
    """The served application."""
    listener = HttpListener(app, http_settings, services.metrics)
    await listener.start()
    async with aiohttp.ClientSession() as session:
        yield Api(session, services, f"http://127.0.0.1:{listener.port}")
    await listener.stop()


@pytest.fixture
def offer() -> Callable[..., str]:
    """An SDP offer as a browser makes it: one video and one audio track."""
    return _offer


def _offer(direction: str = "sendonly") -> str:
    fingerprint = ":".join(["AB"] * 32)
    lines = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
    ]
    for mid, (kind, payload, codec) in enumerate(
        (("video", 96, "VP8/90000"), ("audio", 111, "opus/48000/2"))
    ):
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {payload}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=rtcp-mux",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:actpass",
            f"a=rtpmap:{payload} {codec}",
        ]
        if direction == "sendonly":
            lines.append(f"a=ssrc:{1000 + mid} cname:test")
    return "\r\n".join([*lines, ""])
