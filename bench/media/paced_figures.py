"""The rows of the paced runs: what a whole worker costs with real viewers, and how late it is."""

import sys
from collections.abc import Callable, Sequence

from bench.media import janus
from bench.media.paced import PacedRun, paced
from bench.media.stream import PACKETS_PER_S
from bench.report import Figure

REAL_VIEWERS = 80
MANY, CROWD = 500, 800
SECONDS = 5.0
RUNS = 3
IDLE_S = 20.0


def measure() -> list[Figure]:
    """All runs, in turn."""
    runs: dict[str, list[PacedRun]] = {}
    idle: list[PacedRun] = []
    of_janus: list[float] = []
    for number in range(RUNS):
        say(f"paced runs, {number + 1} of {RUNS}")
        for name, run in ways().items():
            runs.setdefault(name, []).append(run())
        idle.append(paced(MANY, IDLE_S, silent=True))
        if janus.is_installed():
            of_janus.append(janus.measure(REAL_VIEWERS, SECONDS))
    return [
        *real_viewers(runs["aiortc viewers"], of_janus),
        *crowd(runs["crowd"]),
        *crowd(runs["crowd, bursts of 10"], title=", bursts of 10"),
        *lateness(runs["many"]),
        Figure.of_runs(
            f"CPU a second of an idle viewer, {MANY} of them",
            [run.core / run.viewers * 1e6 for run in idle],
            "µs",
        ),
    ]


def ways() -> dict[str, Callable[[], PacedRun]]:
    """What is run in turn."""
    return {
        "aiortc viewers": lambda: paced(REAL_VIEWERS, SECONDS, viewers="aiortc"),
        "crowd": lambda: paced(CROWD, SECONDS),
        "crowd, bursts of 10": lambda: paced(CROWD, SECONDS, burst=10),
        "many": lambda: paced(MANY, SECONDS, lag=True),
    }


def real_viewers(runs: Sequence[PacedRun], of_janus: Sequence[float]) -> list[Figure]:
    """Against Janus with the same viewers."""
    return [
        Figure.of_runs(
            f"CPU a packet and viewer, {REAL_VIEWERS} aiortc viewers, whole process",
            [run.cpu_us for run in runs],
            "µs",
            peer="Janus, event_loops=1",
            peer_values=of_janus,
        )
    ]


def crowd(runs: Sequence[PacedRun], *, title: str = "") -> list[Figure]:
    """How many viewers a core serves."""
    name = f"{CROWD} viewers{title}"
    return [
        Figure.of_runs(f"CPU a packet and viewer, {name}", [run.cpu_us for run in runs], "µs"),
        Figure.of_runs(f"share of a core, {name}", [run.core * 100 for run in runs], "%"),
        Figure(
            f"packets lost, {name}, worst run", max(run.lost for run in runs), "", runs=len(runs)
        ),
        Figure.of_runs(
            f"viewers a core, as {name}",
            [1e6 / PACKETS_PER_S / run.cpu_us for run in runs],
            "viewers",
            better="more",
        ),
    ]


def lateness(runs: Sequence[PacedRun]) -> list[Figure]:
    """Of the event loop and of packets, and the memory of a viewer."""
    figures = []
    for title, times in (
        ("lag of the event loop", [run.lag_ms for run in runs]),
        ("time of a packet in the relay", [run.relay_ms for run in runs]),
    ):
        figures += [
            Figure.of_runs(f"{title}, {MANY} viewers, {cut}", [each[cut] for each in known], "ms")
            for cut in ("p50", "p99")
            if (known := [each for each in times if each])
        ]
    memory = [run.viewer_bytes / 1024 for run in runs]
    return [*figures, Figure.of_runs(f"memory of a viewer, {MANY} viewers", memory, "KiB")]


def say(text: str) -> None:
    """Something for whoever waits."""
    print(text, file=sys.stderr, flush=True)
