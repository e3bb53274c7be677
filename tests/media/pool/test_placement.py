import pytest

from media.pool.placement import EXPECTED_PACKETS_PER_S, Load, place_stream


def load(worker: str, packets_per_s: float = 0, streams: int = 0, placed: int = 0) -> Load:
    return Load(worker, packets_per_s, streams, placed)


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        ([], None),
        ([load("1")], "1"),
        ([load("2"), load("1")], "1"),  # equals: the first by name
        ([load("1", 10_000), load("2", 300)], "2"),
        # Many small streams are less than one with many viewers.
        ([load("1", 300_000, streams=1), load("2", 30_000, streams=90)], "2"),
        # Idle streams cost nothing, but each may grow.
        ([load("1", streams=3), load("2", streams=1)], "2"),
        # What was placed a moment ago is no news to the load yet.
        ([load("1", placed=1), load("2", EXPECTED_PACKETS_PER_S / 2)], "2"),
        ([load("1", placed=1), load("2", 3 * EXPECTED_PACKETS_PER_S)], "1"),
    ],
)
def test_the_least_loaded_worker_takes_the_stream(loads: list[Load], expected: str | None) -> None:
    assert place_stream(loads) == expected


def test_a_burst_spreads_over_all_workers() -> None:
    placed = {"1": 0, "2": 0, "3": 0}
    for _ in range(30):
        chosen = place_stream([load(worker, placed=count) for worker, count in placed.items()])
        assert chosen is not None
        placed[chosen] += 1
    assert placed == {"1": 10, "2": 10, "3": 10}
