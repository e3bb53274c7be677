"""A paced run connects its viewers, sends them everything and counts it, on a small scale."""

from typing import Literal

import pytest

from bench.media.paced import paced
from bench.media.stream import PACKETS_PER_S


@pytest.mark.slow
@pytest.mark.parametrize("viewers", ["lean", "aiortc"])
def test_what_is_sent_arrives(viewers: Literal["lean", "aiortc"]) -> None:
    run = paced(2, 1.0, viewers=viewers, lag=True)
    assert run.viewers == 2
    assert run.lost <= PACKETS_PER_S / 10  # a packet on its way when the count is taken, no more
    assert run.cpu_us >= 0
    assert run.lag_ms["p99"] > 0


@pytest.mark.slow
def test_a_silent_publisher_costs_no_packets() -> None:
    run = paced(2, 1.0, silent=True)
    assert run.cpu_us == 0
    assert run.core < 1
