"""The composition root over real stores."""

import asyncio
import socket
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from config.chat import ChatSettings
from config.http import HttpSettings
from config.kafka import KafkaSettings
from config.media import MediaSettings
from config.settings import Settings
from config.stores import StoreSettings
from ledger.reconcile.runs import Reconciliation
from ledger.reconcile.service import Reconciler
from server.app import running
from tests.support.kafka import Broker


def _settings(
    database_url: str, redis_url: str, data_dir: Path, http_port: int = 0, workers: int = 1
) -> Settings:
    return Settings(
        http=HttpSettings(port=http_port),
        chat=ChatSettings(port=0),
        media=MediaSettings(udp_port=0, workers=workers),
        stores=StoreSettings(
            data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
        ),
    )


async def test_it_is_ready_and_its_figures_have_the_agreed_names(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    async with (
        running(_settings(database_url, redis_url, data_dir)) as app,
        aiohttp.ClientSession(app.urls.http) as http,
    ):
        for path in ("/healthz", "/readyz", "/api/streams", "/.well-known/jwks.json"):
            async with http.get(path) as answer:
                assert answer.status == 200, path
        async with http.get("/metrics") as answer:
            figures = await answer.text()
    for name in (
        'http_requests_total{method="GET",route="/healthz",status_code="200"}',
        "http_request_duration_seconds_bucket",
        "media_viewers",
        "media_packets_forwarded_total",
        "ledger_event_lag_seconds",
        "aml_event_lag_seconds",
        "chat_connections",
    ):
        assert name in figures


async def test_a_kafka_that_is_away_keeps_nothing_from_starting(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    settings = _settings(database_url, redis_url, data_dir)
    kafka = KafkaSettings(bootstrap="127.0.0.1:1")
    async with (
        running(settings.model_copy(update={"kafka": kafka})) as app,
        aiohttp.ClientSession(app.urls.http) as http,
    ):
        async with http.get("/readyz") as answer:
            assert answer.status == 200
        async with http.get("/metrics") as answer:
            assert "kafka_exporting 0.0" in await answer.text()


async def test_a_taken_port_leaves_nothing_running(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            async with running(_settings(database_url, redis_url, data_dir, port)):
                pass
    # Everything was given back: the same settings start now that the port is free.
    async with running(_settings(database_url, redis_url, data_dir, port)) as app:
        assert app.urls.http.endswith(str(port))


async def test_several_media_workers_answer_and_are_told_apart(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    async with (
        running(_settings(database_url, redis_url, data_dir, workers=2)) as app,
        aiohttp.ClientSession(app.urls.http) as http,
    ):
        async with http.get("/readyz") as answer:
            assert answer.status == 200
        async with asyncio.timeout(10):  # each tells its figures once a second
            while True:
                async with http.get("/metrics") as answer:
                    figures = await answer.text()
                if all(f'media_viewers{{worker="{name}"}} 0.0' in figures for name in "12"):
                    break
                await asyncio.sleep(0.05)
        assert "media_worker_restarts_total 0.0" in figures


@pytest.mark.slow
async def test_what_is_posted_reaches_kafka(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    broker, user_id = Broker(data_dir / "kafka"), uuid4()
    await broker.start()
    await broker.create_topic("sociallive.ledger.events", partitions=2)
    settings = _settings(database_url, redis_url, data_dir)
    kafka = KafkaSettings(bootstrap=broker.bootstrap)
    async with running(settings.model_copy(update={"kafka": kafka})) as app:
        await app.services.ledger.grant(
            request_id=uuid4(), user_id=user_id, amount_minor=5, reason="x", granted_by=uuid4()
        )
        async with asyncio.timeout(60):
            while not (records := await broker.records("sociallive.ledger.events")):
                await asyncio.sleep(0.05)
    assert [record.key.decode() for record in records] == [str(user_id)]
    await broker.stop()


async def test_what_is_posted_and_published_has_no_differences(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    async with running(_settings(database_url, redis_url, data_dir)) as app:
        await app.services.ledger.grant(
            request_id=uuid4(), user_id=uuid4(), amount_minor=5, reason="test", granted_by=uuid4()
        )
        reconciler = app.services.reconciler
        async with asyncio.timeout(30):
            while (run := await reconciler.internal(by=uuid4())).details["batches"] < 1:
                assert run.differences == 0
            while not any(each.started_by is None for each in await _runs(reconciler)):
                await asyncio.sleep(0)  # the schedule's first one
        assert run.differences == 0
        assert await reconciler.differences(None, None, 10) == []


async def _runs(reconciler: Reconciler) -> list[Reconciliation]:
    return await reconciler.reconciliations(None, 1000)
