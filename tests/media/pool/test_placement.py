import pytest

from media.pool.placement import (
    EXPECTED_PACKETS_PER_S,
    Host,
    Limits,
    Load,
    place_stream,
    place_viewer,
)

LIMITS = Limits(viewers=100, busy=0.8)


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


def host(
    worker: str,
    viewers: int = 0,
    busy: float = 0.1,
    *,
    serves: bool = True,
    origin: bool = False,
    packets_per_s: float = 0,
    may_pull: bool = True,
) -> Host:
    return Host(load(worker, packets_per_s), viewers, busy, origin, serves, may_pull)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([], None),
        ([host("1", serves=False)], None),  # nobody has it
        # The origin, while it has room.
        ([host("1", 99, origin=True), host("2", 5), host("3", serves=False)], "1"),
        # Then the fullest edge with room, so that the others run empty.
        ([host("1", 100, origin=True), host("2", 5), host("3", 60), host("4", 100)], "3"),
        # Then another worker, the least loaded one.
        (
            [
                host("1", 100, origin=True),
                host("2", serves=False, packets_per_s=9_000),
                host("3", serves=False, packets_per_s=500),
            ],
            "3",
        ),
        # A worker that is busy with other streams has no room either, for few viewers or none.
        ([host("1", 3, busy=0.9, origin=True), host("2", 1)], "2"),
        ([host("1", 100, origin=True), host("2", busy=0.9, serves=False)], "1"),
        # One that feeds don't reach is no edge.
        ([host("1", 100, origin=True), host("2", serves=False, may_pull=False)], "1"),
        # All are full: nobody is refused.
        ([host("1", 130, origin=True), host("2", 110), host("3", 120)], "2"),
        # The origin is gone, its edges serve on.
        ([host("2", 5), host("3", 6)], "3"),
    ],
)
def test_a_viewer_goes_where_there_is_room(hosts: list[Host], expected: str | None) -> None:
    assert place_viewer(hosts, LIMITS) == expected
