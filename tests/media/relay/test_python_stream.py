"""A stream's data half: it enters and leaves the routes of its plane with its peers."""

import pytest

from media.relay.python_stream import PythonStream, Routes


@pytest.fixture
def routes():
    return Routes()


@pytest.fixture
def closed():
    return []


@pytest.fixture
def stream(stage, routes, closed):
    ingest = stage.plane._ingest
    return PythonStream(3, stage.fanout, ingest, routes, on_closed=lambda: closed.append(3))


def test_packets_go_through_to_the_viewers(stream, stage, rtp):
    viewer = stage.viewer()
    stream.set_publisher(7, [stage.VIDEO], 0.0)
    stream.on_rtp([rtp(1, stage.KEY), rtp(2)], 0.0)
    assert [payload for _, payload in stage.take(viewer)] == [stage.KEY, stage.DELTA]
    assert (stream.keyframes, stream.counters.forwarded, stream.refused) == (1, 2, 0)


def test_the_publisher_is_routed_while_it_is_there(stream, routes, stage):
    stream.publisher_gone()
    stream.set_publisher(7, [stage.VIDEO], 0.0)
    stream.set_publisher(8, [stage.VIDEO], 1.0)
    assert routes.published == {8: stream}
    stream.publisher_gone()
    assert routes.published == {}


def test_viewers_are_routed_while_they_watch(stream, routes, stage, rtp):
    viewer = stage.viewer()
    stage.relay.remove_viewer(viewer.number)
    stream.add_viewer(viewer.viewer, 0.0)
    assert routes.watched == {viewer.number: stream}
    with pytest.raises(ValueError, match="served already"):
        stream.add_viewer(viewer.viewer, 0.0)
    stream.remove_viewer(99)
    stream.remove_viewer(viewer.number)
    stream.remove_viewer(viewer.number)
    assert routes.watched == {}
    assert stream.waiting == 0


def test_closing_leaves_nothing(stream, routes, stage, closed):
    viewer = stage.viewer()
    stage.relay.remove_viewer(viewer.number)
    stream.set_publisher(7, [stage.VIDEO], 0.0)
    stream.add_viewer(viewer.viewer, 0.0)
    stream.close()
    assert (routes, closed) == (Routes(), [3])
