"""What Prometheus reads: the HTTP figures, and the plain figures that the domains keep.

Domains count in plain attributes and know no Prometheus; a `Figure` says how to read one. The
registry is the object's own, so two servers in one process don't mix.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FAMILIES = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}


Value = float | Mapping[str, float] | Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One value that some part keeps, read at each scrape in the event-loop thread.

    With a `label`, `read` gives a value for each of its few values; with several, for each of their
    combinations.
    """

    name: str
    documentation: str
    kind: Literal["gauge", "counter"]
    read: Callable[[], Value]
    label: str | tuple[str, ...] | None = None

    def family(self) -> Metric:
        """What it is now."""
        family: GaugeMetricFamily | CounterMetricFamily
        family = _FAMILIES[self.kind](self.name, self.documentation, labels=_names(self.label))
        value = self.read()
        if isinstance(value, Mapping):
            for label, part in value.items():
                family.add_metric(_names(label), part)
        else:
            family.add_metric((), value)
        return family


class Distribution(Protocol):
    """How long things took, as some part counts it."""

    @property
    def buckets(self) -> Sequence[tuple[float, int]]:
        """(Bound in s, how many took at most that), the shortest first."""

    @property
    def count(self) -> int:
        """All, those beyond the last bound included."""

    @property
    def total_s(self) -> float:
        """What all took together."""


@dataclass(frozen=True, slots=True)
class HistogramFigure:
    """A histogram that some part keeps for each of the few values of `label`; without one where
    `read` gives None."""

    name: str
    documentation: str
    read: Callable[[], Mapping[str, Distribution | None]]
    label: str

    def family(self) -> Metric:
        """What it is now."""
        family = HistogramMetricFamily(self.name, self.documentation, labels=(self.label,))
        for label, times in self.read().items():
            if times is not None:
                within = [(str(bound_s), count) for bound_s, count in times.buckets]
                family.add_metric((label,), [*within, ("+Inf", times.count)], times.total_s)
        return family


Exported = Figure | HistogramFigure


class Metrics:
    """The registry of one process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self.ledger = LedgerCalls(self.registry)
        self._http_requests = Counter(
            "http_requests_total",
            "Requests answered.",
            ("method", "route", "status_code"),
            registry=self.registry,
        )
        self._http_duration = Histogram(
            "http_request_duration_seconds",
            "Time from a request's head to its answer.",
            ("method", "route", "status_code"),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )

    def http_request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request; `route` is a template, never a path."""
        labels = (method, route, str(status))
        self._http_requests.labels(*labels).inc()
        self._http_duration.labels(*labels).observe(duration_s)

    def add(self, figures: Iterable[Exported]) -> None:
        """Export figures. Raises ValueError where a name is taken."""
        self.registry.register(_FigureCollector(tuple(figures)))

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class LedgerCalls:
    """Times the ledger's calls and counts posted gifts: a `ledger.service.LatencyObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._duration = Histogram(
            "ledger_call_duration_seconds",
            "Time of a call of the ledger, its commit included.",
            ("operation", "outcome"),
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._gifts = Counter("gifts_total", "Gifts posted.", registry=registry)

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        """Count one call; a repeated gift is not posted again."""
        self._duration.labels(operation, outcome).observe(seconds)
        if (operation, outcome) == ("gift", "posted"):
            self._gifts.inc()


class _FigureCollector(Collector):
    def __init__(self, figures: tuple[Exported, ...]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        return (figure.family() for figure in self._figures)


def _names(label: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if label is None:
        return ()
    return tuple(map(str, label)) if isinstance(label, tuple) else (str(label),)
