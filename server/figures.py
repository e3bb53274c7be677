"""Which figures of the domains are exported, and under which names."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter

from chat.server import ChatServer
from compliance.aml.worker import AmlWorker
from ledger.evidence.chainer import Chainer
from ledger.outbox import OutboxPublisher
from ledger.sagas.runner import SagaRunner
from ledger.store.upkeep import UpkeepBooks
from media.door import MediaDoor, WorkerFigures
from server.gateway.limits import RateLimiter
from server.kafka_export import KafkaExport
from server.metrics import Exported, Figure, HistogramFigure
from server.upkeep import Upkeep


def figures(
    media: MediaDoor, chat: ChatServer, outbox: OutboxPublisher, aml: AmlWorker
) -> tuple[Exported, ...]:
    """Everything that the domains of one process count."""
    return (
        *media_figures(media),
        *chat_figures(chat),
        *outbox_figures(outbox),
        *aml_figures(aml),
    )


def media_figures(media: MediaDoor) -> tuple[Exported, ...]:
    """Streams, viewers and packets of each media worker."""

    def each(read: Callable[[WorkerFigures], float]) -> dict[str, float]:
        return {worker: read(figures) for worker, figures in media.figures().items()}

    def parts(read: Callable[[WorkerFigures], Mapping[str, float]]) -> dict[tuple[str, ...], float]:
        return {
            (worker, part): value
            for worker, figures in media.figures().items()
            for part, value in read(figures).items()
        }

    def total(name: str) -> dict[str, float]:
        return each(lambda figures: getattr(figures.totals, name))

    def counted(name: str) -> dict[tuple[str, ...], float]:
        return parts(lambda figures: getattr(figures.counters, name))

    return (
        *(
            Figure(
                f"media_{name}", documentation, "gauge", partial(each, attrgetter(field)), "worker"
            )
            for name, field, documentation in (
                ("streams", "streams", "Streams that are published here and can be watched."),
                ("streams_pulled", "pulled", "Streams that come from another worker."),
                ("viewers", "viewers", "Connected viewers."),
                ("worker_busy", "busy", "CPU seconds a second of the worker's process."),
            )
        ),
        *(
            Figure(f"media_{name}", documentation, "counter", partial(total, name), "worker")
            for name, documentation in (
                ("packets_forwarded", "Packets sent to viewers."),
                ("packets_dropped", "Packets not sent, because a viewer was too slow."),
                ("packets_resent", "Packets sent again when a viewer asked."),
                ("keyframe_requests", "Keyframes asked of publishers."),
                ("packets_over_bitrate", "Publishers' packets beyond their bit rate, dropped."),
                ("viewer_packets_lost", "Packets lost on the way, as viewers tell it."),
                ("packets_refused", "Publishers' packets that made no sense."),
            )
        ),
        *(
            Figure(
                f"media_{name}",
                documentation,
                "counter",
                partial(counted, field),
                ("worker", label),
            )
            for name, field, documentation, label in (
                ("datagrams", "datagrams", "Received.", "protocol"),
                ("datagrams_dropped", "dropped", "Ignored or refused.", "reason"),
                ("sessions_started", "sessions_started", "Sessions.", "role"),
                ("sessions_ended", "sessions_ended", "Sessions.", "reason"),
            )
        ),
        Figure(
            "media_unsent",
            "Answers, handshakes and reports that the socket had no room for.",
            "counter",
            partial(each, lambda figures: figures.counters.unsent),
            "worker",
        ),
        HistogramFigure(
            "media_relay_duration_seconds",
            "From the arrival of a publisher's packet to the last viewer's send.",
            lambda: {name: figures.relay_times for name, figures in media.figures().items()},
            "worker",
        ),
        Figure(
            "media_worker_restarts",
            "Worker processes that ended unasked.",
            "counter",
            lambda: media.restarts,
        ),
    )


def chat_figures(chat: ChatServer) -> tuple[Figure, ...]:
    """Connections and messages of this node."""
    counters = chat.counters
    return (
        Figure("chat_connections", "Open.", "gauge", lambda: chat.figures.connections),
        Figure("chat_rooms", "Open on this node.", "gauge", lambda: chat.figures.rooms),
        Figure("chat_frames_received", "From clients.", "counter", lambda: counters.frames_in),
        Figure("chat_messages", "Taken from clients.", "counter", lambda: counters.messages),
        Figure("chat_gifts_shown", "Gift events.", "counter", lambda: counters.gifts_shown),
        Figure("chat_deliveries", "Events written.", "counter", lambda: counters.deliveries),
        Figure("chat_refused", "Frames refused.", "counter", lambda: counters.refused, "code"),
        Figure(
            "chat_closed",
            "By this server.",
            "counter",
            lambda: {str(code): count for code, count in counters.closed.items()},
            "close_code",
        ),
        Figure("chat_bad_payloads", "Of the bus.", "counter", lambda: counters.bad_payloads),
    )


def outbox_figures(outbox: OutboxPublisher) -> tuple[Figure, ...]:
    """How far the event stream is behind the ledger."""
    return (
        Figure(
            "ledger_event_lag_seconds",
            "Age of the oldest event that is not published.",
            "gauge",
            lambda: outbox.figures.lag_s,
        ),
        Figure(
            "ledger_event_lag",
            "Batches not published.",
            "gauge",
            lambda: outbox.figures.lag_batches,
        ),
        Figure(
            "ledger_events_published", "Events.", "counter", lambda: outbox.figures.published_events
        ),
        Figure("ledger_publish_failures", "Turns.", "counter", lambda: outbox.figures.failures),
    )


def chain_figures(chainer: Chainer) -> tuple[Figure, ...]:
    """How far the hash chain is behind the ledger."""
    return (
        Figure(
            "ledger_chain_lag_seconds",
            "Age of the oldest batch that is not in the hash chain.",
            "gauge",
            lambda: chainer.figures.lag_s,
        ),
        Figure("ledger_chain_links", "Links made.", "counter", lambda: chainer.figures.links),
        Figure("ledger_chain_failures", "Turns.", "counter", lambda: chainer.figures.failures),
    )


def aml_figures(aml: AmlWorker) -> tuple[Figure, ...]:
    """What the anti-money-laundering checks did."""
    seen = aml.figures
    return (
        Figure("aml_events_seen", "Events.", "counter", lambda: seen.events_seen),
        Figure("aml_duplicates", "Events dropped.", "counter", lambda: seen.duplicates),
        Figure("aml_alerts_raised", "Alerts.", "counter", lambda: seen.alerts_raised),
        Figure("aml_dead_letters", "Entries set aside.", "counter", lambda: seen.dead_letters),
        Figure(
            "aml_event_lag_seconds",
            "Time from the last event handled to when it was.",
            "gauge",
            lambda: seen.last_event_lag_s,
        ),
    )


def kafka_figures(export: KafkaExport) -> tuple[Figure, ...]:
    """What the export to Kafka did."""
    seen = export.figures
    return (
        Figure("kafka_events_exported", "Events.", "counter", lambda: seen.events),
        Figure("kafka_entries_exported", "Stream entries.", "counter", lambda: seen.entries),
        Figure("kafka_export_failures", "Lost connections.", "counter", lambda: seen.failures),
        Figure("kafka_dead_letters", "Entries set aside.", "counter", lambda: seen.dead_letters),
        Figure(
            "kafka_exporting", "Whether this node exports.", "gauge", lambda: int(seen.exporting)
        ),
        Figure(
            "kafka_waiting", "Whether events wait for Kafka.", "gauge", lambda: int(seen.waiting)
        ),
    )


def upkeep_figures(upkeep: Upkeep, books: UpkeepBooks) -> tuple[Figure, ...]:
    """What was done now and then, what could not be, and what was found."""
    return (
        Figure(
            "ledger_clock_ahead_seconds",
            "How far the newest postings are ahead of the database's clock.",
            "gauge",
            lambda: books.clock_ahead_s,
        ),
        Figure("upkeep_done", "By job.", "counter", lambda: upkeep.done, "job"),
        Figure("upkeep_failures", "By job.", "counter", lambda: upkeep.failures, "job"),
    )


def gateway_figures(limiter: RateLimiter) -> tuple[Figure, ...]:
    """What the gateway could not do."""
    return (
        Figure(
            "http_rate_limit_failures",
            "Requests that passed uncounted because Redis was away.",
            "counter",
            lambda: limiter.failures,
        ),
    )


def saga_figures(runner: SagaRunner) -> tuple[Figure, ...]:
    """What the steps of payouts and purchases did."""
    return (
        Figure("saga_steps_done", "Steps.", "counter", lambda: runner.figures.steps_done),
        Figure("saga_steps_failed", "Attempts.", "counter", lambda: runner.figures.steps_failed),
        Figure(
            "saga_dead_tasks",
            "Steps that gave up and wait for an admin.",
            "gauge",
            lambda: runner.figures.dead_tasks,
        ),
    )
