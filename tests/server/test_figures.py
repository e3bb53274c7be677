from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chat.counters import ChatCounters
from chat.server import ChatFigures
from compliance.aml.worker import AmlFigures
from ledger.evidence.chainer import ChainFigures
from ledger.outbox import OutboxFigures
from ledger.sagas.runner import SagaFigures
from media.door import WorkerFigures
from media.relay.stats import RelayTotals
from server.figures import (
    chain_figures,
    figures,
    gateway_figures,
    kafka_figures,
    saga_figures,
    upkeep_figures,
)
from server.kafka_export import ExportFigures
from server.metrics import Metrics
from server.upkeep import Job, Upkeep


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
    metrics.add(upkeep_figures(upkeep))
    sample = metrics.registry.get_sample_value
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


def test_the_hash_chain_is_measured() -> None:
    metrics = Metrics()
    metrics.add(chain_figures(Holder(ChainFigures(links=7, failures=1, lag_s=0.4))))  # type: ignore[arg-type]
    text = metrics.exposition().decode()
    assert "ledger_chain_lag_seconds 0.4" in text
    assert "ledger_chain_links_total 7.0" in text
    assert "ledger_chain_failures_total 1.0" in text
