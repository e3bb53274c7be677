"""What the pool knows of streams, without a process."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.events import (
    MediaEvent,
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)
from media.pool.streams import TRANSITIONS, PlacedState, StreamTable
from tests.media.conftest import OWNER, STREAM

OTHER = UUID(int=6)


def test_every_state_can_be_reached_and_left_but_the_last() -> None:
    reached = {state for row in TRANSITIONS.values() for state in row.values()}
    assert reached == set(PlacedState) - {PlacedState.STARTING}
    assert [state for state, row in TRANSITIONS.items() if not row] == [PlacedState.ENDED]


@pytest.fixture
def table() -> StreamTable:
    return StreamTable(starting_s=12, stranded_s=30)


@pytest.fixture
def live(table: StreamTable) -> StreamTable:
    """A stream of three viewers on worker 1."""
    table.claim(STREAM, OWNER, "1", 100.0)
    assert table.apply("1", StreamLive(STREAM)) == [StreamLive(STREAM)]
    table.apply("1", ViewersChanged(STREAM, 3))
    return table


def state(table: StreamTable) -> PlacedState | None:
    stream = table.find(STREAM)
    return stream.state if stream is not None else None


def test_a_stream_follows_what_its_worker_tells(table: StreamTable) -> None:
    table.claim(STREAM, OWNER, "1", 100.0)
    assert (state(table), table.live(), len(table)) == (PlacedState.STARTING, [], 1)
    for event, expected in (
        (StreamLive(STREAM), PlacedState.LIVE),
        (StreamInterrupted(STREAM), PlacedState.INTERRUPTED),
        (StreamLive(STREAM), PlacedState.LIVE),
    ):
        assert table.apply("1", event) == [event]
        assert state(table) is expected
        assert table.live() == [STREAM]
    assert table.apply("1", StreamEnded(STREAM, "over")) == [StreamEnded(STREAM, "over")]
    assert (state(table), table.live()) == (None, [])


def test_viewers_add_up_over_workers(live: StreamTable) -> None:
    assert live.apply("2", ViewersChanged(STREAM, 4)) == [ViewersChanged(STREAM, 7)]
    assert live.apply("1", ViewersChanged(STREAM, 1)) == [ViewersChanged(STREAM, 5)]


def test_a_worker_loses_no_sessions_but_by_its_death(live: StreamTable) -> None:
    assert live.apply("1", SessionsLost(STREAM)) == []


def test_only_the_worker_that_has_a_stream_changes_its_state(live: StreamTable) -> None:
    for event in (StreamInterrupted(STREAM), StreamEnded(STREAM, "x"), StreamLive(STREAM)):
        assert live.apply("2", event) == []
    assert state(live) is PlacedState.LIVE
    assert live.apply("1", StreamLive(OTHER)) == []


def test_a_refused_publisher_leaves_nothing(table: StreamTable, live: StreamTable) -> None:
    table.claim(OTHER, OWNER, "1", 100.0)
    table.settle(OTHER, "1", is_taken=False)
    assert table.find(OTHER) is None
    table.settle(OTHER, "1", is_taken=False)
    live.claim(STREAM, OWNER, "1", 101.0)  # a second publisher, refused as busy
    live.settle(STREAM, "1", is_taken=False)
    assert state(live) is PlacedState.LIVE


@pytest.mark.parametrize("first_is_taken_first", [True, False])
def test_a_second_publisher_s_refusal_is_not_the_first_one_s(
    table: StreamTable, first_is_taken_first: bool
) -> None:
    table.claim(STREAM, OWNER, "1", 100.0)
    table.claim(STREAM, OWNER, "1", 100.1)
    for is_taken in (first_is_taken_first, not first_is_taken_first):
        table.settle(STREAM, "1", is_taken=is_taken)
    assert table.apply("1", StreamLive(STREAM)) == [StreamLive(STREAM)]


def test_an_edge_that_ends_takes_its_viewers_from_the_count(live: StreamTable) -> None:
    live.apply("2", ViewersChanged(STREAM, 4))
    assert live.apply("2", StreamEnded(STREAM, "dropped")) == [ViewersChanged(STREAM, 3)]
    assert live.apply("2", StreamEnded(STREAM, "dropped")) == []
    assert state(live) is PlacedState.LIVE


def test_a_publisher_that_never_connects_is_forgotten_without_a_word(table: StreamTable) -> None:
    table.claim(STREAM, OWNER, "1", 100.0)
    table.claim(STREAM, OWNER, "1", 105.0)  # it tries again
    table.settle(STREAM, "1", is_taken=True)
    table.settle(STREAM, "1", is_taken=False)
    assert table.expire(116.9) == []
    assert state(table) is PlacedState.STARTING
    assert table.expire(117.0) == []
    assert state(table) is None


def test_the_death_of_a_worker_strands_its_streams(live: StreamTable) -> None:
    live.claim(OTHER, OWNER, "1", 100.0)
    assert live.strand("1", 200.0) == [
        StreamInterrupted(STREAM),
        ViewersChanged(STREAM, 0),
        SessionsLost(STREAM),
    ]
    assert live.find(OTHER) is None  # it was only starting
    assert (state(live), live.live()) == (PlacedState.STRANDED, [STREAM])
    stream = live.find(STREAM)
    assert stream is not None
    assert (stream.worker, stream.publisher_id) == (None, OWNER)

    live.claim(STREAM, OWNER, "2", 201.0)
    assert state(live) is PlacedState.STRANDED  # until it is connected
    assert live.apply("2", StreamLive(STREAM)) == [StreamLive(STREAM)]
    assert state(live) is PlacedState.LIVE
    assert live.expire(1_000.0) == []


def test_an_interrupted_stream_is_not_interrupted_twice(live: StreamTable) -> None:
    live.apply("1", StreamInterrupted(STREAM))
    assert live.strand("1", 200.0) == [ViewersChanged(STREAM, 0), SessionsLost(STREAM)]


def test_a_stranded_stream_ends_when_its_publisher_stays_away(live: StreamTable) -> None:
    live.strand("1", 200.0)
    assert live.expire(229.9) == []
    assert live.expire(230.0) == [StreamEnded(STREAM, "The publisher did not come back.")]
    assert len(live) == 0


def test_a_publisher_that_is_connecting_is_waited_for(live: StreamTable) -> None:
    live.strand("1", 200.0)
    live.claim(STREAM, OWNER, "2", 229.0)
    assert live.expire(235.0) == []
    live.settle(STREAM, "2", is_taken=False)
    stream = live.find(STREAM)
    assert stream is not None
    assert stream.worker is None
    assert live.expire(241.0) == [StreamEnded(STREAM, "The publisher did not come back.")]


def test_the_death_of_another_worker_loses_only_its_viewers(live: StreamTable) -> None:
    assert live.strand("2", 200.0) == []
    live.apply("2", ViewersChanged(STREAM, 4))
    assert live.strand("2", 200.0) == [ViewersChanged(STREAM, 3), SessionsLost(STREAM)]
    assert state(live) is PlacedState.LIVE


def test_a_stream_can_be_ended_without_a_worker(live: StreamTable) -> None:
    live.strand("1", 200.0)
    assert live.end(STREAM, "stopped") == [StreamEnded(STREAM, "stopped")]
    assert live.end(STREAM, "stopped") == []
    live.claim(OTHER, OWNER, "1", 100.0)
    assert live.end(OTHER, "stopped") == []  # nobody ever heard of it


WORKERS = ("1", "2")
OPERATIONS = st.one_of(
    st.tuples(st.just("claim"), st.sampled_from(WORKERS), st.booleans()),
    st.tuples(
        st.just("told"),
        st.sampled_from(WORKERS),
        st.sampled_from(
            (StreamLive(STREAM), StreamInterrupted(STREAM), StreamEnded(STREAM, "over"))
        ),
    ),
    st.tuples(st.just("viewers"), st.sampled_from(WORKERS), st.integers(0, 3)),
    st.tuples(st.just("strand"), st.sampled_from(WORKERS), st.none()),
    st.tuples(st.just("pass"), st.just(""), st.integers(0, 20)),
)


@given(st.lists(OPERATIONS, max_size=40))
def test_whatever_workers_tell_the_house_hears_a_story_that_makes_sense(
    operations: list[tuple[str, str, Any]],
) -> None:
    table = StreamTable(starting_s=12, stranded_s=30)
    now = 0.0
    heard: MediaEvent | None = None  # the last change of state
    for name, worker, detail in operations:
        stream = table.find(STREAM)
        if name == "claim":
            place = stream.worker if stream is not None and stream.worker is not None else worker
            table.claim(STREAM, OWNER, place, now)
            table.settle(STREAM, place, is_taken=detail)
            told: list[MediaEvent] = []
        elif name == "told":
            told = table.apply(worker, detail)
        elif name == "viewers":
            told = table.apply(worker, ViewersChanged(STREAM, detail))
        elif name == "strand":
            told = table.strand(worker, now)
        else:
            now += detail
            told = table.expire(now)
        for event in told:
            if isinstance(event, StreamLive):
                assert not isinstance(heard, StreamLive)
            elif isinstance(event, StreamInterrupted | StreamEnded):
                assert heard is not None
                assert not isinstance(heard, StreamEnded)
            if isinstance(event, StreamLive | StreamInterrupted | StreamEnded):
                heard = event
        is_on = isinstance(heard, StreamLive | StreamInterrupted)
        assert is_on == (STREAM in table.live())
        found = table.find(STREAM)
        assert found is None or (found.claims == 0 and found.state is not PlacedState.ENDED)
