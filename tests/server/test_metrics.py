from dataclasses import dataclass

import pytest

from server.metrics import Figure, HistogramFigure, Metrics


@dataclass
class Times:
    buckets: tuple[tuple[float, int], ...]
    count: int
    total_s: float


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_requests_are_counted_and_timed() -> None:
    metrics = Metrics()
    for duration_s in (0.002, 0.2):
        metrics.http_request("GET", "/api/gifts", 200, duration_s)
    labels = {"method": "GET", "route": "/api/gifts", "status_code": "200"}
    assert sample(metrics, "http_requests_total", **labels) == 2
    assert sample(metrics, "http_request_duration_seconds_count", **labels) == 2
    assert sample(metrics, "http_request_duration_seconds_bucket", **labels, le="0.01") == 1


def test_figures_are_read_at_each_scrape() -> None:
    metrics = Metrics()
    viewers, refused = 1, {"too_large": 2}
    metrics.add(
        (
            Figure("viewers", "Viewers.", "gauge", lambda: viewers),
            Figure("refused", "Refused.", "counter", lambda: refused, "code"),
        )
    )
    assert sample(metrics, "viewers") == 1
    viewers, refused["forbidden"] = 5, 1
    assert sample(metrics, "viewers") == 5
    assert sample(metrics, "refused_total", code="too_large") == 2
    assert sample(metrics, "refused_total", code="forbidden") == 1


def test_a_figure_of_several_labels_has_a_value_for_each_combination() -> None:
    metrics = Metrics()
    sent = {("1", "rtp"): 4, ("2", "rtp"): 6}
    metrics.add((Figure("sent", "Sent.", "counter", lambda: sent, ("worker", "protocol")),))
    assert sample(metrics, "sent_total", worker="2", protocol="rtp") == 6
    assert sample(metrics, "sent_total", worker="1", protocol="rtp") == 4


def test_a_histogram_that_is_kept_elsewhere_is_read_at_each_scrape() -> None:
    metrics = Metrics()
    times: dict[str, Times | None] = {"1": Times(((0.0005, 2), (0.01, 5)), 6, 0.75), "2": None}
    metrics.add((HistogramFigure("wait_seconds", "Waited.", lambda: times, "worker"),))
    assert sample(metrics, "wait_seconds_bucket", worker="1", le="0.0005") == 2
    assert sample(metrics, "wait_seconds_bucket", worker="1", le="0.01") == 5
    assert sample(metrics, "wait_seconds_bucket", worker="1", le="+Inf") == 6
    assert sample(metrics, "wait_seconds_count", worker="1") == 6
    assert sample(metrics, "wait_seconds_sum", worker="1") == 0.75
    assert sample(metrics, "wait_seconds_count", worker="2") is None
    times["2"] = Times(((0.0005, 0),), 1, 3.0)
    assert sample(metrics, "wait_seconds_bucket", worker="2", le="0.0005") == 0
    assert sample(metrics, "wait_seconds_count", worker="2") == 1
    assert "# TYPE wait_seconds histogram" in metrics.exposition().decode()


def test_a_name_is_taken_once() -> None:
    metrics = Metrics()
    figure = Figure("viewers", "Viewers.", "gauge", lambda: 0)
    metrics.add((figure,))
    with pytest.raises(ValueError, match="viewers"):
        metrics.add((figure,))


def test_gifts_are_counted_when_posted() -> None:
    metrics = Metrics()
    for operation, outcome in (
        ("gift", "posted"),
        ("gift", "repeated"),
        ("gift", "insufficient_funds"),
        ("grant", "posted"),
    ):
        metrics.ledger.observe(operation, 0.01, outcome)
    assert sample(metrics, "gifts_total") == 1
    for outcome in ("posted", "repeated", "insufficient_funds"):
        labels = {"operation": "gift", "outcome": outcome}
        assert sample(metrics, "ledger_call_duration_seconds_count", **labels) == 1


def test_servers_in_one_process_don_t_mix() -> None:
    one, other = Metrics(), Metrics()
    one.http_request("GET", "/", 200, 0.1)
    assert b"http_requests_total{" in one.exposition()
    assert b"http_requests_total{" not in other.exposition()
