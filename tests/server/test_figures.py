from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiortc.mediastreams import AudioStreamTrack

from chat.counters import ChatCounters
from chat.server import ChatFigures
from compliance.aml.worker import AmlFigures
from config.media import MediaSettings
from ledger.evidence.chainer import ChainFigures
from ledger.outbox import OutboxFigures
from ledger.sagas.runner import SagaFigures
from media.door import WorkerFigures
from media.local import LocalMedia
from media.relay.stats import RelayTotals
from server.figures import (
    chain_figures,
    figures,
    gateway_figures,
    kafka_figures,
    media_figures,
    saga_figures,
    upkeep_figures,
)
from server.kafka_export import ExportFigures
from server.metrics import Metrics
from server.upkeep import Job, Upkeep
from tests.media.conftest import OWNER, STREAM, Events, client, events, plane
from tests.support.webrtc import Client

__all__ = ["client", "events", "plane"]  # the fixtures


class Media:
    restarts = 2

    def __init__(self) -> None:
        self.workers = {
            name: WorkerFigures(
                streams=1, pulled=2, viewers=3, busy=0.5, totals=RelayTotals(packets_forwarded=7)
            )
            for name in ("1", "2")
        }

    def figures(self) -> dict[str, WorkerFigures]:
        return self.workers


@dataclass
class Chat:
    counters: ChatCounters = field(default_factory=ChatCounters)
    figures: ChatFigures = field(default_factory=lambda: ChatFigures(5, 2, 6))


class Limiter:
    failures = 2


class Books:
    clock_ahead_s = 7.5


@dataclass
class Holder:
    figures: Any


async def make_months() -> int:
    return 6


def test_everything_is_exported_under_a_name() -> None:
    media, chat = Media(), Chat()
    media.workers["2"].counters.sessions_ended.update(Counter(deleted=2))
    chat.counters.closed[4002] += 1
    outbox = Holder(
        OutboxFigures(
            published_events=9,
            published_batches=1,
            failures=0,
            lag_batches=4,
            lag_s=1.5,
            healthy=True,
        )
    )
    aml = Holder(AmlFigures(events_seen=8))
    metrics = Metrics()
    metrics.add(figures(media, chat, outbox, aml))  # type: ignore[arg-type]
    metrics.add(gateway_figures(Limiter()))  # type: ignore[arg-type]
    metrics.add(kafka_figures(Holder(ExportFigures(events=11, waiting=True))))  # type: ignore[arg-type]
    metrics.add(saga_figures(Holder(SagaFigures(12, 3, 1))))  # type: ignore[arg-type]
    upkeep = Upkeep([Job("months ahead", 1, make_months)])
    upkeep.done["months ahead"] = 6
    metrics.add(upkeep_figures(upkeep, Books()))  # type: ignore[arg-type]
    sample = metrics.registry.get_sample_value
    assert sample("ledger_clock_ahead_seconds") == 7.5
    assert sample("upkeep_done_total", {"job": "months ahead"}) == 6
    for worker in ("1", "2"):
        assert sample("media_streams", {"worker": worker}) == 1
        assert sample("media_streams_pulled", {"worker": worker}) == 2
        assert sample("media_viewers", {"worker": worker}) == 3
        assert sample("media_worker_busy", {"worker": worker}) == 0.5
        assert sample("media_packets_forwarded_total", {"worker": worker}) == 7
    ended = {"worker": "2", "reason": "deleted"}
    assert sample("media_sessions_ended_total", ended) == 2
    assert sample("media_worker_restarts_total") == 2
    assert sample("kafka_events_exported_total") == 11
    assert sample("kafka_waiting") == 1
    assert sample("saga_steps_done_total") == 12
    assert sample("saga_steps_failed_total") == 3
    assert sample("saga_dead_tasks") == 1
    assert sample("chat_connections") == 5
    assert sample("chat_closed_total", {"close_code": "4002"}) == 1
    assert sample("ledger_event_lag_seconds") == 1.5
    assert sample("ledger_event_lag") == 4
    assert sample("http_rate_limit_failures_total") == 2
    assert sample("aml_events_seen_total") == 8


async def test_how_long_packets_are_in_a_worker_is_measured_where_its_plane_can(
    plane: str, client: Callable[[], Client], events: Events
) -> None:
    media = LocalMedia(MediaSettings(udp_port=0, plane=plane), on_event=events)  # type: ignore[arg-type]
    metrics = Metrics()
    metrics.add(media_figures(media))

    def packets() -> float | None:
        name = "media_relay_duration_seconds_count"
        return metrics.registry.get_sample_value(name, {"worker": "1"})

    assert packets() is None
    await media.start()
    try:
        assert packets() == (0 if plane == "native" else None)
        publisher, viewer = client(), client()
        publisher.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        await publisher.connect_async(lambda offer: media.publish(STREAM, OWNER, offer))
        await events.next()
        viewer.pc.addTransceiver("audio", direction="recvonly")
        await viewer.connect_async(lambda offer: media.watch(STREAM, offer))
        await viewer.frame("audio")
        relayed = packets()
        assert (relayed is not None and relayed > 0) == (plane == "native")
    finally:
        await media.stop()


def test_the_hash_chain_is_measured() -> None:
    metrics = Metrics()
    metrics.add(chain_figures(Holder(ChainFigures(links=7, failures=1, lag_s=0.4))))  # type: ignore[arg-type]
    text = metrics.exposition().decode()
    assert "ledger_chain_lag_seconds 0.4" in text
    assert "ledger_chain_links_total 7.0" in text
    assert "ledger_chain_failures_total 1.0" in text
