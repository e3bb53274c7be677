from media.counters import MediaCounters
from media.plane import PlaneCounts
from media.relay.stats import RelayTotals


def test_nothing_is_counted_at_first() -> None:
    counters = MediaCounters()
    assert counters.dropped["anything"] == counters.unsent == 0
    assert counters.ended_streams == RelayTotals()


def test_the_planes_counts_are_added_to_a_copy() -> None:
    counters = MediaCounters()
    counters.dropped["stun_malformed"] = 2
    seen = counters.with_plane(PlaneCounts({"rtp": 5}, {"stun_malformed": 1, "rtp_refused": 3}, 4))
    assert seen.datagrams == {"rtp": 5}
    assert seen.dropped == {"stun_malformed": 3, "rtp_refused": 3}
    assert (seen.unsent, counters.unsent, counters.dropped) == (4, 0, {"stun_malformed": 2})
