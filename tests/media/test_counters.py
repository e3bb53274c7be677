from media.counters import MediaCounters


def test_everything_begins_at_zero() -> None:
    counters = MediaCounters()
    assert counters.datagrams["rtp"] == counters.dropped["any"] == counters.unsent == 0
    counters.datagrams["rtp"] += 1
    assert MediaCounters().datagrams["rtp"] == 0
