from uuid import UUID

import pytest

from config.media import MediaSettings
from media.live import TRANSITIONS, LiveStream, StreamEvent, StreamState
from media.relay.stream import StreamRelay
from tests.support.media_stage import Stage


@pytest.fixture
def stream() -> LiveStream:
    relay = StreamRelay(Stage().plane.stream(1), settings=MediaSettings())
    return LiveStream(1, UUID(int=5), UUID(int=1), relay, "cname")


def test_every_state_but_the_last_can_be_stopped() -> None:
    assert set(TRANSITIONS) == set(StreamState)
    assert TRANSITIONS[StreamState.ENDED] == {}
    for state in set(StreamState) - {StreamState.ENDED}:
        assert TRANSITIONS[state][StreamEvent.STOPPED] is StreamState.ENDED


def test_viewers_may_join_while_there_is_something_to_wait_for(stream: LiveStream) -> None:
    seen = [stream.is_watchable]
    for event in (StreamEvent.CONNECTED, StreamEvent.LOST, StreamEvent.CONNECTED):
        stream.on(event)
        seen.append(stream.is_watchable)
    stream.on(StreamEvent.STOPPED)
    assert [*seen, stream.is_watchable] == [False, True, True, True, False]


def test_a_publisher_that_never_connected_leaves_nothing_to_wait_for(stream: LiveStream) -> None:
    stream.on(StreamEvent.REPLACED)
    assert stream.state is StreamState.STARTING
    stream.on(StreamEvent.LOST)
    assert stream.state is StreamState.ENDED


def test_waiting_for_the_publisher_has_an_end(stream: LiveStream) -> None:
    stream.on(StreamEvent.CONNECTED)
    assert not stream.is_expired(1000.0, window_s=30)
    stream.on(StreamEvent.LOST)
    stream.interrupted_at = 100.0
    assert not stream.is_expired(130.0, window_s=30)
    assert stream.is_expired(130.1, window_s=30)


def test_figures(stream: LiveStream) -> None:
    assert stream.stats(50.0).uptime_s == 0.0
    stream.live_at = 40.0
    stream.on(StreamEvent.CONNECTED)
    stats = stream.stats(52.34)
    assert (stats.state, stats.viewers, stats.uptime_s) == (StreamState.LIVE, 0, 12.3)
    assert (stats.tracks, stats.packets_forwarded, stats.packets_resent) == ((), 0, 0)
