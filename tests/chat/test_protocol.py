"""The order of checks, the clock, and that no bytes get past them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import CloseCode, TimedOut
from chat.frames import JSON, MSGPACK, Codec, Frame
from chat.members import Member
from chat.protocol import (
    ROUTES,
    ChatProtocol,
    Close,
    Needs,
    Perform,
    Send,
    SignOut,
    UserRates,
    answer,
    refused,
)
from chat.requests import Hello, Ping
from config.chat import ChatSettings

STREAM, OTHER = uuid4(), uuid4()
OWNER = uuid4()
HERE = {"stream_id": str(STREAM)}
FRAMES: dict[str, Frame] = {
    "hello": {"token": "x"},
    "ping": {},
    "join": HERE,
    "leave": HERE,
    "say": {**HERE, "text": "hi"},
    "gift": {**HERE, "request_id": str(uuid4()), "gift_id": "rose", "count": 1},
    "delete": {**HERE, "message_id": str(uuid4())},
    "timeout": {**HERE, "user_id": str(uuid4()), "seconds": 5},
}


def member(*roles: str, user_id: UUID | None = None) -> Member:
    return Member(user_id or uuid4(), "ann", frozenset(roles), datetime.now(UTC))


def protocol(
    who: Member | None = None, *, codec: Codec = JSON, greeted: bool = True, **settings: Any
) -> ChatProtocol:
    chosen = ChatSettings(**settings)
    core = ChatProtocol(codec, chosen, UserRates(chosen), now=0.0)
    if greeted:
        core.greet(who, expires_at=900.0)
    return core


def receive(core: ChatProtocol, now: float = 1.0, /, **frame: Any) -> Any:
    """The outcome of one frame: a request, a refusal's code, or the first close."""
    data = core.codec.encode(frame)
    actions = core.receive(data.decode() if core.codec is JSON else data, now)
    match actions[-1]:
        case Perform(request):
            return request
        case Send(sent):
            return sent["code"]
        case Close(code):
            return code


def test_every_frame_of_a_client_has_a_route() -> None:
    assert FRAMES.keys() == ROUTES.keys()


@pytest.mark.parametrize("kind", ROUTES)
def test_before_hello_nothing_else_is_served(kind: str) -> None:
    core = protocol(greeted=False)
    outcome = receive(core, t=kind, **FRAMES[kind])
    assert outcome == (Hello("x") if kind == "hello" else "hello_first")


@pytest.mark.parametrize("kind", ROUTES)
@pytest.mark.parametrize("who", ["guest", "viewer", "moderator", "admin", "owner"])
def test_who_may_do_what_in_a_room(who: str, kind: str) -> None:
    somebody = {
        "guest": None,
        "viewer": member("viewer"),
        "moderator": member("moderator"),
        "admin": member("admin"),
        "owner": member("streamer", user_id=OWNER),
    }[who]
    core = protocol(somebody)
    core.rooms[STREAM] = OWNER
    outcome = receive(core, t=kind, **FRAMES[kind])
    expected = {
        Needs.ANYONE: None,
        Needs.SIGNED_IN: "unauthenticated" if who == "guest" else None,
        Needs.MODERATOR: {"guest": "unauthenticated", "viewer": "forbidden"}.get(who),
    }[ROUTES[kind].needs]
    assert outcome == expected if expected else not isinstance(outcome, str)


def test_the_first_check_that_fails_answers() -> None:
    """Each step mends what the one before was refused for."""
    core = protocol(None, greeted=False, messages_per_10_s=1)
    say: Frame = {"t": 5, "id": {}, "stream_id": "here", "text": 5}
    assert receive(core, **say) == "bad_frame"  # not flat
    assert receive(core, **{**say, "id": True}) == "bad_frame"  # no id
    assert receive(core, **{**say, "id": 1}) == "bad_frame"  # no type
    assert receive(core, **{**say, "id": 1, "t": "sing"}) == "hello_first"
    core.greet(None, 0.0)
    assert receive(core, **{**say, "id": 1, "t": "sing"}) == "unknown_type"
    say = {**say, "id": 1, "t": "say"}
    assert receive(core, **say) == "unauthenticated"
    core.greet(member(), 900.0)
    assert receive(core, **say) == "bad_frame"  # no UUID
    say["stream_id"] = str(STREAM)
    assert receive(core, **say) == "bad_frame"  # no text
    assert receive(core, **{**say, "text": ""}) == "empty_text"
    say["text"] = "hi"
    assert receive(core, **say) == "not_joined"
    core.rooms[STREAM] = OWNER
    assert not isinstance(receive(core, **say), str)
    assert receive(core, **say) == "rate_limited"


def test_rooms_are_bounded_but_a_joined_one_can_be_joined_again() -> None:
    core = protocol(max_rooms_per_connection=1)
    core.rooms[STREAM] = OWNER
    assert receive(core, t="join", stream_id=str(OTHER)) == "too_many_rooms"
    assert not isinstance(receive(core, t="join", **HERE), str)


def test_a_user_has_one_rate_over_connections_and_a_connection_one_over_all() -> None:
    settings = ChatSettings(messages_per_10_s=2, requests_per_10_s=5)
    rates, ann = UserRates(settings), member()
    cores = [ChatProtocol(JSON, settings, rates, 0.0) for _ in range(2)]
    for core in cores:
        core.greet(ann, 900.0)
        core.rooms[STREAM] = OWNER
    says = [receive(core, t="say", **FRAMES["say"]) for core in (*cores, cores[0])]
    assert [isinstance(outcome, str) for outcome in says] == [False, False, True]
    assert [receive(cores[0], t="ping") for _ in range(4)] == [Ping()] * 3 + ["rate_limited"]
    assert receive(cores[1], t="ping") == Ping()
    assert receive(cores[0], 7.0, t="say", **FRAMES["say"]) != "rate_limited"


def test_bad_frames_are_forgiven_with_time() -> None:
    core = protocol(max_bad_frames=2, requests_per_10_s=1000)
    assert [receive(core, 1.0, t="x") for _ in range(3)] == ["unknown_type"] * 2 + [
        CloseCode.BAD_FRAMES
    ]
    core = protocol(max_bad_frames=2, requests_per_10_s=1000)
    assert [receive(core, 30.0 * n, t="x") for n in range(9)] == ["unknown_type"] * 9


def test_refusals_of_good_frames_are_no_strikes() -> None:
    core = protocol(max_bad_frames=1, requests_per_10_s=1000)
    outcomes = {receive(core, t="say", **FRAMES["say"]) for _ in range(50)}
    assert outcomes == {"unauthenticated"}


def test_hello_has_a_deadline_that_waits_while_one_is_checked() -> None:
    core = protocol(greeted=False, hello_timeout_s=5)
    assert core.deadline == 5.0
    assert core.poll(4.9) == []
    assert receive(core, 4.9, t="hello", token="x") == Hello("x")
    assert core.deadline is None
    assert core.poll(100.0) == []
    core.decline()
    assert core.poll(100.0) == [Close(CloseCode.HELLO_TIMEOUT, "no hello in time")]
    assert core.receive('{"t": "hello"}', 100.0) == core.poll(100.0)


def test_an_expired_member_is_a_guest_before_its_next_frame_is_read() -> None:
    core = protocol(member())
    core.rooms[STREAM] = OWNER
    assert core.deadline == 900.0
    actions = core.receive('{"t": "say", "id": 7}', 900.0)
    assert actions[:2] == [SignOut(), Send({"t": "expired"})]
    assert actions[2].frame["code"] == "unauthenticated"  # type: ignore[union-attr]
    assert core.deadline is None
    assert STREAM in core.rooms


def test_hellos_are_few() -> None:
    core = protocol(hellos_per_minute=2)
    outcomes = [receive(core, t="hello") for _ in range(3)]
    assert outcomes == [Hello(None), Hello(None), "rate_limited"]


def test_answers_repeat_the_id_and_refusals_tell_details() -> None:
    assert answer({"t": "ok"}, 0) == {"t": "ok", "id": 0}
    assert answer({"t": "ok"}, None) == {"t": "ok"}
    assert refused(TimedOut(until="then")) == {
        "t": "refused",
        "code": "timed_out",
        "message": TimedOut.message,
        "until": "then",
    }


@given(st.lists(st.binary(max_size=80) | st.text(max_size=80), max_size=20))
def test_arbitrary_messages_are_refused_or_end_the_connection(messages: list[str | bytes]) -> None:
    for codec in (JSON, MSGPACK):
        core = protocol(member("admin"), codec=codec)
        for now, data in enumerate(messages):
            for action in core.receive(data, float(now)):
                match action:
                    case Send(frame):
                        assert frame["t"] == "refused"
                        assert codec.encode(frame)
                    case Close(code):
                        assert code in (CloseCode.WRONG_KIND, CloseCode.BAD_FRAMES)
                    case _:
                        pytest.fail(f"{data!r} led to {action}")


field = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.text(max_size=9),
    st.uuids().map(str),
)  # fmt: skip


@given(st.sampled_from(sorted(FRAMES)), st.data())
def test_well_formed_frames_with_any_fields_never_raise(kind: str, data: st.DataObject) -> None:
    core = protocol(member("admin"), codec=MSGPACK)
    core.rooms[STREAM] = OWNER
    frame: Frame = {"t": kind, **FRAMES[kind]}
    name = data.draw(st.sampled_from(["id", *FRAMES[kind]]))
    frame[name] = data.draw(field)
    (action,) = core.receive(MSGPACK.encode(frame), 1.0)
    assert isinstance(action, Perform | Send)
    if isinstance(action, Send):
        assert action.frame["t"] == "refused"
