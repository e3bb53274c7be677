from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from media.door import WorkerFigures
from media.pool.member import CONNECTING_S, SETTLED_S, Member
from media.pool.messages import Beat
from media.pool.placement import Host, Load
from media.pool.streams import PlacedStream
from tests.media.conftest import OWNER, STREAM


@dataclass
class Process:
    name: str = "2"
    running: Any = None


BEAT = Beat(WorkerFigures(streams=3, busy=0.4), packets_per_s=1_000, viewer_sessions=10)


@pytest.fixture
def member() -> Member:
    return Member(Process())  # type: ignore[arg-type]


@pytest.fixture
def stream() -> PlacedStream:
    return PlacedStream(STREAM, OWNER, "1", 0.0, viewers={"1": 50, "2": 7})


def test_viewers_are_known_from_the_beat_and_what_came_since(member: Member) -> None:
    assert (member.viewer_sessions, member.client) == (0, None)
    member.on_beat(BEAT, 100.0)
    member.admitting = 2
    member.admitted(STREAM, 100.5)
    assert member.viewer_sessions == 13
    member.on_beat(BEAT, 101.0)  # they are in it
    assert member.viewer_sessions == 12
    member.on_down()
    assert member.viewer_sessions == 2


def test_its_load_is_the_beat_and_what_was_placed_lately(member: Member) -> None:
    assert member.load(100.0) == Load("2", 0.0, 0, 0)
    member.on_beat(BEAT, 100.0)
    member.placed(100.0)
    assert member.load(100.0) == Load("2", 1_000, 3, 1)
    assert member.load(100.0 + SETTLED_S) == Load("2", 1_000, 3, 0)


def test_viewers_who_are_connecting_count_at_their_stream(
    member: Member, stream: PlacedStream
) -> None:
    member.on_beat(BEAT, 100.0)
    member.admitted(STREAM, 100.0)
    member.admitted(UUID(int=9), 100.0)
    host = member.host(stream, serves=True, now=100.0)
    assert host == Host(member.load(100.0), 8, 0.4, is_origin=False, serves=True)
    assert member.host(stream, serves=True, now=100.0 + CONNECTING_S).viewers == 7
    member.on_beat(BEAT, 100.0 + CONNECTING_S)
    member.no_edge_until = 200.0
    assert not member.host(stream, serves=True, now=199.0).may_pull
    assert member.host(stream, serves=True, now=200.0).may_pull
    stream.worker = "2"
    assert member.host(stream, serves=True, now=100.0 + CONNECTING_S).is_origin
