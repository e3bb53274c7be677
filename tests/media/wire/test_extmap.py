"""Lines of header extensions: what is taken, what is passed over, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import InvalidSdp
from media.wire.extensions import Extension
from media.wire.extmap import OfferedExtension, offered_extensions
from media.wire.sdp import Attributes

MID, ORIENTATION = Extension.MID.value, Extension.VIDEO_ORIENTATION.value


def lines(*values: str) -> Attributes:
    return Attributes([("extmap", value) for value in values])


def offered(*values: str, session: Attributes | None = None) -> list[tuple[int, Extension]]:
    taken = offered_extensions(session or Attributes(), lines(*values))
    return [(each.id, each.extension) for each in taken]


def test_known_extensions_are_taken_by_their_uri() -> None:
    assert offered(f"4 {MID}", "1 urn:example:unknown", f"255 {ORIENTATION} with attributes") == [
        (4, Extension.MID),
        (255, Extension.VIDEO_ORIENTATION),
    ]


def test_those_of_the_session_hold_for_every_section() -> None:
    session = lines(f"1 {MID}", f"2 {ORIENTATION}")
    assert offered(f"9 {MID}", session=session) == [
        (9, Extension.MID),
        (2, Extension.VIDEO_ORIENTATION),
    ]


def test_the_first_line_counts() -> None:
    assert offered(f"1 {MID}", f"2 {MID}", f"1 {ORIENTATION}") == [(1, Extension.MID)]


@pytest.mark.parametrize("number", [0, 256, 4096, 4351])
def test_ids_that_no_packet_can_carry_are_passed_over(number: int) -> None:
    assert offered(f"{number} {MID}") == []


@pytest.mark.parametrize(
    "value", ["", "1", "x urn:a", "-1 urn:a", "1/sideways urn:a", "70000 urn:a"]
)
def test_what_cannot_be_understood_is_refused(value: str) -> None:
    with pytest.raises(InvalidSdp, match="a=extmap"):
        offered(value)


@pytest.mark.parametrize(
    ("direction", "sides", "answer"),
    [
        ("", (True, True), ""),
        ("/sendrecv", (True, True), ""),
        ("/sendonly", (True, False), "/recvonly"),
        ("/recvonly", (False, True), "/sendonly"),
    ],
)
def test_the_answer_turns_the_direction_round(
    direction: str, sides: tuple[bool, bool], answer: str
) -> None:
    (each,) = offered_extensions(Attributes(), lines(f"3{direction} {MID}"))
    assert (each.sent, each.received) == sides
    assert each.answer_line() == f"a=extmap:3{answer} {MID}"


def test_an_inactive_one_is_as_good_as_none() -> None:
    assert offered(f"3/inactive {MID}") == []


def test_some_never_need_the_long_form() -> None:
    assert OfferedExtension(14, Extension.MID, True, True).is_short
    assert not OfferedExtension(15, Extension.MID, True, True).is_short
    assert not OfferedExtension(1, Extension.DEPENDENCY_DESCRIPTOR, True, True).is_short


@given(st.lists(st.text(max_size=30)))
def test_no_text_raises_anything_else(values: list[str]) -> None:
    try:
        taken = offered(*values)
    except InvalidSdp:
        return
    assert len({number for number, _ in taken}) == len(taken)
