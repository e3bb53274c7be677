import contextlib
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from config.media import MediaSettings
from media.counters import MediaCounters
from media.door import WorkerFigures
from media.events import (
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)
from media.feeds import Feed, FeedKeys, Link, feed_tracks
from media.live import StreamState, StreamStats
from media.negotiation import Patched
from media.pool import messages
from media.pool.messages import (
    RESULTS,
    Answer,
    Asked,
    BadMessage,
    Beat,
    Call,
    CloseFeed,
    Declined,
    EndPublisher,
    EndViewer,
    Hello,
    OpenFeed,
    PatchPublisher,
    PatchViewer,
    Publish,
    Pull,
    ReadStats,
    Refusal,
    Stop,
    StopStream,
    Unlink,
    Watch,
    Welcome,
    decode,
    dump_result,
    encode,
    read_result,
)
from media.relay.relay_times import RelayHistogram
from media.relay.stats import RelayTotals, TrackStats
from media.wire.negotiate import published_tracks
from media.wire.offer import parse_offer
from media.worker import Accepted
from tests.media.pool.conftest import ICE_KEY
from tests.support.media_stage import Stage

STREAM = UUID(int=5)
STATS = StreamStats(
    state=StreamState.LIVE,
    viewers=3,
    uptime_s=1.5,
    tracks=(TrackStats("video", "VP8", 1_000, 10, 1),),
    packets_forwarded=9,
    packets_dropped=0,
    packets_resent=1,
    keyframe_requests=2,
)
PUBLISHED = published_tracks(parse_offer(Stage().offer("sendonly")))
LINK = Link(2**63 - 1, ("10.0.0.2", 7001), FeedKeys.fresh())
FEED = Feed(PUBLISHED, feed_tracks(PUBLISHED), "cname")
CALLS: list[tuple[Call[Any], Any]] = [
    (
        Hello(1, MediaSettings(udp_port=7003, public_addresses=("10.0.0.1",)), ICE_KEY),
        Welcome(1, 7003, "10.0.0.1"),
    ),
    (Hello(1, MediaSettings(), ICE_KEY), Declined("taken", port_taken=True)),
    (Publish(STREAM, UUID(int=1), "v=0\r\n…"), Accepted("id", "v=0", '"abc"')),
    (Watch(STREAM, "v=0"), Accepted("id", "v=0", '"abc"')),
    (PatchPublisher(STREAM, "id", "a=b", None), Patched(204, '"abc"')),
    (PatchViewer(STREAM, "id", "a=b", "*"), Patched(200, '"abc"', "a=ice-ufrag:x")),
    (EndPublisher(STREAM, "id"), None),
    (EndViewer(STREAM, "id"), None),
    (StopStream(STREAM, "why"), None),
    (ReadStats(STREAM), STATS),
    (ReadStats(STREAM), None),
    (OpenFeed(STREAM, LINK), FEED),
    (CloseFeed(STREAM, 2**62), None),
    (Pull(STREAM, UUID(int=1), LINK, FEED), None),
    (Unlink(STREAM), None),
    (Stop(), None),
]
TOLD = [
    StreamLive(STREAM),
    StreamInterrupted(STREAM),
    StreamEnded(STREAM, "why"),
    ViewersChanged(STREAM, 4),
    SessionsLost(STREAM),
    Beat(
        WorkerFigures(
            streams=1,
            viewers=2,
            busy=0.25,
            totals=RelayTotals(1, 2, 3, 4),
            counters=MediaCounters(datagrams=Counter(rtp=7), unsent=2),
            relay_times=RelayHistogram(((0.0005, 3), (0.128, 2**53)), 2**53 + 1, 0.1 + 0.2),
        ),
        packets_per_s=335.5,
        viewer_sessions=3,
        deaf=(STREAM,),
    ),
    Beat(WorkerFigures(relay_times=None), packets_per_s=0.0, viewer_sessions=0),
]


@pytest.mark.parametrize(("call", "result"), CALLS, ids=lambda value: type(value).__name__)
def test_a_call_and_its_result_cross_unchanged(call: Call[Any], result: Any) -> None:
    assert decode(encode(Asked(7, call))) == Asked(7, call)
    answer = decode(encode(Answer(7, dump_result(call, result))))
    assert isinstance(answer, Answer)
    assert read_result(call, answer.result) == result


def test_every_call_is_among_these() -> None:
    assert {type(call) for call, _ in CALLS} == set(RESULTS)
    assert {type(each) for each in TOLD} == set(messages.get_args(messages.Told))


@pytest.mark.parametrize("told", TOLD, ids=lambda told: type(told).__name__)
def test_what_is_told_crosses_unchanged(told: Any) -> None:
    assert decode(encode(told)) == told


def test_refusals_and_faults_cross() -> None:
    refused = Answer(3, refusal=Refusal("StreamHeld", "Held.", {"retry_after_s": 2.5}))
    assert decode(encode(refused)) == refused
    assert decode(encode(Answer(4, fault="Publish: KeyError"))) == Answer(
        4, fault="Publish: KeyError"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"kind": "call"}',
        b'{"kind": "order", "name": "Publish"}',
        b'{"kind": "call", "name": "Publish", "id": "x", "body": {}}',
        b'{"kind": "call", "name": "Publish", "id": 1, "body": {"stream_id": "nobody"}}',
        b'{"kind": "call", "name": "os.system", "id": 1, "body": {}}',
        b'{"kind": "told", "name": "StreamLive", "body": {"stream_id": 5.5}}',
        b'{"kind": "answer", "body": {"id": null}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        decode(data)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadMessage):
        decode(data)


def test_a_result_of_another_call_is_refused() -> None:
    with pytest.raises(BadMessage):
        read_result(Watch(STREAM, ""), {"status": 204})
    assert to_json(dump_result(Stop(), None)) == b"null"
