"""Connections are counted, bounded and found by user."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import CloseCode, Disconnect
from chat.registry import Registry
from config.chat import ChatSettings

ANN, BOB = uuid4(), uuid4()


class Guest:
    def __init__(self) -> None:
        self.ends: list[CloseCode] = []

    def end(self, code: CloseCode, reason: str) -> None:
        self.ends.append(code)


def test_the_server_and_an_address_are_bounded() -> None:
    registry = Registry(ChatSettings(max_connections=3, max_connections_per_address=2))
    first = Guest()
    for guest in (first, Guest()):
        registry.admit(guest, "a")
    with pytest.raises(Disconnect) as full:
        registry.admit(Guest(), "a")
    assert full.value.code is CloseCode.TOO_MANY_CONNECTIONS
    registry.admit(Guest(), "b")
    with pytest.raises(Disconnect):
        registry.admit(Guest(), "c")
    registry.release(first)
    registry.release(first)
    registry.admit(Guest(), "a")
    assert len(registry) == 3


def test_a_user_is_bounded_and_can_change_places() -> None:
    registry = Registry(ChatSettings(max_connections_per_user=1))
    first, second = Guest(), Guest()
    for guest in (first, second):
        registry.admit(guest, "a")
    registry.identify(first, ANN, 0.0)
    registry.identify(first, ANN, 0.0)
    with pytest.raises(Disconnect) as full:
        registry.identify(second, ANN, 0.0)
    assert full.value.code is CloseCode.TOO_MANY_CONNECTIONS
    registry.identify(first, BOB, 0.0)
    registry.identify(second, ANN, 0.0)
    registry.identify(second, None, 0.0)
    registry.release(first)
    registry.identify(second, BOB, 0.0)
    registry.identify(Guest(), BOB, 0.0)


def test_the_expelled_are_ended_and_checks_under_way_too() -> None:
    registry = Registry(ChatSettings())
    inside, checking, other = Guest(), Guest(), Guest()
    for guest in (inside, checking, other):
        registry.admit(guest, "a")
    registry.identify(inside, ANN, 0.0)
    registry.identify(other, BOB, 0.0)
    registry.expel(ANN, CloseCode.SIGNED_OUT, "", now=5.0)
    assert (inside.ends, checking.ends, other.ends) == ([CloseCode.SIGNED_OUT], [], [])
    with pytest.raises(Disconnect) as end:
        registry.identify(checking, ANN, asked_at=4.0)
    assert end.value.code is CloseCode.SIGNED_OUT
    registry.identify(checking, ANN, asked_at=6.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.none() | st.uuids())))
def test_nothing_is_left_when_all_are_gone(steps: list[tuple[int, str, object]]) -> None:
    registry = Registry(ChatSettings(max_connections_per_user=2))
    guests = [Guest() for _ in range(6)]
    inside: set[int] = set()
    for index, address, user_id in steps:
        if index in inside and user_id is None:
            registry.release(guests[index])
            inside.discard(index)
        elif index not in inside:
            registry.admit(guests[index], address)
            inside.add(index)
        registry.identify(guests[index], user_id, 0.0)  # type: ignore[arg-type]
        assert len(registry) == len(inside)
    for guest in guests:
        registry.release(guest)
    assert not any(vars(registry)[name] for name in ("_entries", "_by_address", "_by_user"))
