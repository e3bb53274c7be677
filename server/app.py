"""The composition root: makes every part, starts them in order, and stops them in reverse."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from uuid_utils.compat import uuid7

from chat.ports import ChatPorts
from chat.server import ChatServer
from compliance.aml.service import AlertService
from compliance.aml.store import AmlStore
from compliance.aml.worker import AmlWorker
from compliance.audit import AuditLog
from config.settings import Settings
from identity.keys import KeyRing
from identity.service import IdentityService
from identity.store import UserStore
from ledger.event_store.database import Database
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoint_desk import CheckpointDesk
from ledger.evidence.signer import Signer
from ledger.outbox import OutboxPublisher
from ledger.reconcile.service import Reconciler
from ledger.replays import ReplayStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from ledger.store.reconcile import ReconcileStore
from media.catalog import StreamCatalog
from media.door import MediaDoor
from media.events import MediaEvent
from media.local import LocalMedia
from media.pool.pool import MediaPool
from media.store import StreamStore
from server import media_process
from server.background import background
from server.bridges.chat_ports import ChatGifts, ChatStreams, ChatUsers
from server.bridges.gift_feed import GiftFeed
from server.bridges.payout_check import PayoutCheck
from server.bridges.stream_states import StreamStates
from server.bus import LedgerEventStream, NewestBatches, TailReader
from server.chat_redis import RedisBus, RedisHistory, RedisModerationStore, RedisPresence
from server.consumers import AML, KAFKA, EventConsumers, event_source
from server.embedded.folder import DataFolder
from server.figures import (
    chain_figures,
    figures,
    kafka_figures,
    saga_figures,
    upkeep_figures,
)
from server.gateway.limits import RateLimiter
from server.gateway.listener import HttpListener
from server.health import Readiness
from server.http.app import build_http_app
from server.kafka_export import KafkaExport, KafkaProducer
from server.lease import Lease
from server.ledger_access import CHECKPOINT_KEYS
from server.metrics import Metrics
from server.payouts import build_payouts
from server.redis_sessions import RedisSessions
from server.redis_throttle import RedisLoginThrottle
from server.services import Services
from server.stores import Stores, open_stores
from server.upkeep import Job, Upkeep
from server.urls import Urls

log = logging.getLogger(__name__)

CHAIN_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class RunningApp:
    """A server that answers."""

    services: Services
    urls: Urls
    folder: DataFolder


def clock() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)


def build_identity(settings: Settings, stores: Stores) -> IdentityService:
    """Identity over the open stores, with its signing keys in the data folder."""
    return IdentityService(
        settings.identity,
        users=UserStore(stores.pool),
        sessions=RedisSessions(stores.redis),
        throttle=RedisLoginThrottle(stores.redis),
        keys=KeyRing.open(stores.folder.path / "keys", now=clock()),
        clock=clock,
    )


def replay_store(settings: Settings, stores: Stores) -> ReplayStore:
    """Cursors, replays and the log."""
    database = Database(
        stores.pool,
        acquire_timeout_s=settings.ledger.acquire_timeout_s,
        statement_timeout_s=settings.ledger.statement_timeout_s,
    )
    return ReplayStore(database, clock=clock, new_id=uuid7)


def kafka_export(settings: Settings, stores: Stores) -> KafkaExport:
    """The export to Kafka; whichever node has the lease does it."""
    source = event_source(
        stores.redis, replay_store(settings, stores), KAFKA, member=KAFKA, claim_idle_ms=0
    )
    lease = Lease(stores.redis, "kafka-export", settings.kafka.lease_s)
    return KafkaExport(source, lease, settings.kafka, partial(KafkaProducer, settings.kafka))


def build_reconciler(settings: Settings, stores: Stores) -> Reconciler:
    """Reconciliation of the ledger with itself, the stream and the providers' files."""
    return Reconciler(
        ReconcileStore(stores.pool, reads=stores.reads),
        settings.ledger.reconcile,
        published=NewestBatches(stores.redis),
        clock=clock,
    )


def ledger_jobs(ledger: LedgerService, store: LedgerStore) -> tuple[Job, ...]:
    """What the ledger needs now and then."""
    return (
        Job("months ahead", 3_600, store.upkeep.make_months_ahead),  # before anything posts
        Job("holds that are due", 60, ledger.holds.expire_due),
        Job("clock ahead", 60, store.upkeep.look_at_clock),
        Job("rows without a month", 3_600, store.upkeep.strays),
        Job("answers to old requests", 3_600, lambda: ledger.archive_requests(clock())),
    )


def build_media(settings: Settings, on_event: Callable[[MediaEvent], None]) -> MediaDoor:
    """The media plane in this process, or in as many as the settings say."""
    if settings.media.workers == 1:
        return LocalMedia(settings.media, on_event=on_event)
    command = media_process.command(settings.telemetry)
    return MediaPool(settings.media, command, on_event=on_event)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningApp]:
    """The whole server, answering while the block runs.

    Raises what `server.stores.open_stores` raises, and OSError where a port is taken.
    """
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings.stores))
        parts = _Parts(settings, stores)
        await parts.start(stack)
        metrics = parts.services.metrics
        limiter = RateLimiter(stores.redis, settings.http)
        http = build_http_app(parts.services, settings.http, limiter)
        listener = HttpListener(http, settings.http, metrics)
        await listener.start()
        stack.push_async_callback(listener.stop)
        urls = Urls.of(settings.http.host, listener.port, settings.chat.host, parts.chat.port)
        log.info(
            "ready", extra={"http": urls.http, "chat": urls.chat, "udp": list(parts.media.ports)}
        )
        yield RunningApp(parts.services, urls, stores.folder)
        log.info("stopping")


class _Parts:
    """Every part of one process, made but not started."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        node = f"{os.getpid()}-{secrets.token_hex(4)}"
        metrics = Metrics()
        stream = LedgerEventStream(stores.redis)
        ledger_store = LedgerStore(
            stores.pool, settings.ledger, reads=stores.reads, reader=stores.reader
        )
        self.outbox = OutboxPublisher(ledger_store, stream, settings.ledger.outbox)
        evidence = EvidenceStore(stores.pool, reads=stores.reads)
        self.chainer = Chainer(evidence, settings.ledger.evidence, clock=clock)
        keys = stores.folder.path / CHECKPOINT_KEYS
        self.signer = Signer(evidence, settings.ledger.evidence, keys, clock=clock)
        ledger = LedgerService(
            settings.ledger, ledger_store, wake=self.outbox.wake, observer=metrics.ledger
        )
        self.identity = build_identity(settings, stores)
        self.catalog = StreamCatalog(StreamStore(stores.pool), clock)
        users = ChatUsers(self.identity)
        self.chat = ChatServer(
            settings.chat,
            ChatPorts(
                authenticator=users,
                users=users,
                streams=ChatStreams(self.catalog),
                gifts=ChatGifts(ledger),
                bus=RedisBus(stores.redis),
                history=RedisHistory(stores.redis, settings.chat),
                moderation=RedisModerationStore(stores.redis, settings.chat),
                presence=RedisPresence(stores.redis, settings.chat, node),
            ),
            clock=clock,
        )
        self.states = StreamStates(self.catalog, self.chat)
        self.media = build_media(settings, self.states.on_event)
        self.gift_feed = GiftFeed(TailReader(stores.redis), self.chat)
        aml_store = AmlStore(stores.pool)
        replays = replay_store(settings, stores)
        self.aml = AmlWorker(
            event_source(
                stores.redis,
                replays,
                AML,
                member=node,
                claim_idle_ms=settings.aml.claim_idle_ms,
            ),
            aml_store,
            settings.aml,
            clock=clock,
        )
        alerts = AlertService(aml_store, clock=clock)
        self.payouts = build_payouts(
            stores.pool,
            settings.ledger,
            ledger,
            PayoutCheck(alerts, self.identity),
            clock=clock,
            reads=stores.reads,
        )
        self.reconciler = build_reconciler(settings, stores)
        self.kafka = None if settings.kafka.bootstrap is None else kafka_export(settings, stores)
        self.services = Services(
            identity=self.identity,
            ledger=ledger,
            payouts=self.payouts,
            reconciler=self.reconciler,
            checkpoints=CheckpointDesk(evidence, keys),
            alerts=alerts,
            audit=AuditLog(stores.pool, clock=clock),
            consumers=EventConsumers(replays, stores.redis),
            catalog=self.catalog,
            media=self.media,
            chat=self.chat,
            readiness=Readiness(
                {
                    "postgresql": partial(stores.pool.fetchval, "SELECT 1"),
                    "ledger": ledger.check,
                    "redis": stores.redis.ping,
                    "media": self.media.check,
                }
            ),
            metrics=metrics,
        )
        metrics.add(figures(self.media, self.chat, self.outbox, self.aml))
        metrics.add(saga_figures(self.payouts.runner))
        metrics.add(chain_figures(self.chainer))
        self.upkeep = Upkeep(ledger_jobs(ledger, ledger_store))
        metrics.add(upkeep_figures(self.upkeep, ledger_store.upkeep))
        if self.kafka is not None:
            metrics.add(kafka_figures(self.kafka))

    async def start(self, stack: AsyncExitStack) -> None:
        """Start in the order of need; `stack` stops them in reverse."""
        stack.push_async_callback(self._chain_the_rest)
        stack.push_async_callback(self.services.ledger.close)  # last: gifts that wait are answered
        stack.callback(self.identity.close)
        await self.catalog.reset_live()
        stack.push_async_callback(self.payouts.close)
        for name, run in self._tasks():
            await stack.enter_async_context(background(name, run))
        stack.push_async_callback(self.chat.stop)
        await self.chat.start()
        stack.push_async_callback(self._stop_media)
        await self.media.start()

    def _tasks(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("outbox", self.outbox.run),
            ("chainer", self.chainer.run),
            ("checkpoints", self.signer.run),
            ("aml", self.aml.run),
            ("gift feed", self.gift_feed.run),
            ("stream states", self.states.run),
            ("sagas", self.payouts.runner.run),
            ("maturing earnings", self.payouts.maturing.run),
            ("payouts sent", self.payouts.follow_up.run),
            ("upkeep", self.upkeep.run),
            ("reconciliation", self.reconciler.run),
        ]
        if self.kafka is not None:
            tasks.append(("kafka export", self.kafka.run))
        return tasks

    async def _chain_the_rest(self) -> None:
        """Leave nothing behind that is not in the hash chain; another node may do it as well."""
        try:
            async with asyncio.timeout(CHAIN_PATIENCE_S):
                await self.chainer.catch_up()
        except Exception:
            log.warning("the last batches are chained at the next start", exc_info=True)

    async def _stop_media(self) -> None:
        """End the streams, and write that they ended while the stores are still open."""
        await self.media.stop()
        try:
            await self.states.flush()
        except Exception:
            log.warning("some streams are still written as live", exc_info=True)
