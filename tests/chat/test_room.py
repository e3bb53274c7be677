"""A room comes to the same state whenever it is loaded among its events."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from chat import events
from chat.frames import JSON, MSGPACK, Frame
from chat.members import Member, RoomInfo
from chat.room import Loaded, Room, ViewerCount
from config.chat import ChatSettings

STREAM, OWNER = uuid4(), uuid4()
USERS = [UUID(int=number) for number in range(3)]
MESSAGES = [UUID(int=number) for number in range(5)]
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def room(**settings: int) -> Room:
    return Room(STREAM, ChatSettings(**settings), RoomInfo(STREAM, OWNER, "live"))


def said(message_id: UUID) -> Frame:
    member = Member(USERS[0], "ann", frozenset(), NOW)
    return events.message(STREAM, message_id, member, "hi", NOW)


class Recorder:
    def write(self, message: bytes) -> None:
        raise AssertionError("a room writes nothing itself")


changes = st.lists(
    st.one_of(
        st.sampled_from(MESSAGES).map(said),
        st.sampled_from(MESSAGES).map(lambda id: events.deleted(STREAM, id, OWNER)),
        st.builds(
            lambda user, hours: events.timed_out(STREAM, user, hours and NOW + timedelta(0, hours)),
            st.sampled_from(USERS),
            st.none() | st.integers(1, 9),
        ),
        st.sampled_from(["live", "interrupted"]).map(lambda state: events.stream(STREAM, state)),
    ),
    max_size=20,
)


def snapshot(of: Room) -> Loaded:
    now_ms = events.milliseconds(NOW)
    timeouts = {user: until for user in USERS if (until := of.timeouts.until(user, now_ms))}
    return Loaded(of.info, of.history.events(), timeouts)


def possible(frames: list[Frame]) -> list[Frame]:
    """As the store lets it happen: a message is posted once, and deleted only after that."""
    posted: set[str] = set()
    kept = []
    for frame in frames:
        key = frame.get("message_id")
        if frame["t"] == "message" and key in posted:
            continue
        if frame["t"] == "deleted" and key not in posted:
            continue
        if frame["t"] == "message":
            posted.add(frame["message_id"])
        kept.append(frame)
    return kept


@given(changes, st.integers(0, 20), st.integers(0, 20))
def test_loading_among_events_ends_as_if_all_had_been_heard(
    frames: list[Frame], begin: int, read: int
) -> None:
    """The room hears events from `begin` on; the stores were read later, at `read`."""
    frames = possible(frames)
    begin, read = sorted((min(begin, len(frames)), min(read, len(frames))))
    store, late = room(), room()
    for frame in frames[:read]:
        store.apply(frame)
    loaded = snapshot(store)
    late.load()
    for frame in frames[begin:]:
        late.apply(frame)
    late.loaded(loaded)
    for frame in frames[read:]:
        store.apply(frame)
    assert snapshot(late) == snapshot(store)


def test_only_news_is_shown() -> None:
    here = room()
    assert here.apply(said(MESSAGES[0]))
    assert not here.apply(said(MESSAGES[0]))
    assert not here.apply(events.presence_signal())
    assert here.viewers.is_stale
    assert not here.apply({"t": "of a newer server"})
    assert not here.apply({})


def test_members_come_and_go() -> None:
    here, one, two = room(), Recorder(), Recorder()
    here.join(JSON, one)
    here.join(MSGPACK, two)
    here.join(MSGPACK, two)
    assert here.members == 2
    here.leave(JSON, one, now=5.0)
    assert here.empty_since is None
    here.leave(MSGPACK, two, now=6.0)
    here.leave(MSGPACK, two, now=6.0)
    assert (here.members, here.empty_since) == (0, 6.0)


def test_a_newcomer_is_told_all() -> None:
    here = room()
    here.viewers.elsewhere = 3
    here.join(JSON, Recorder())
    here.apply(said(MESSAGES[0]))
    assert here.joined_frame() == {
        "t": "joined",
        "stream_id": str(STREAM),
        "viewers": 4,
        "history": [said(MESSAGES[0])],
        "state": "live",
    }


def test_viewers_are_told_when_they_changed() -> None:
    viewers = ViewerCount()
    assert viewers.is_due(1, now=0.0, every_s=5.0)
    viewers.asking(1, 0.0)
    assert viewers.answered(1, total=4) == 4
    assert viewers.elsewhere == 3
    assert not viewers.is_due(1, now=4.9, every_s=5.0)
    assert viewers.is_due(2, now=4.9, every_s=5.0)
    assert viewers.is_due(1, now=5.0, every_s=5.0)
    viewers.asking(1, 5.0)
    assert viewers.answered(1, total=4) is None
    viewers.is_stale = True
    assert viewers.is_due(1, now=5.1, every_s=5.0)
