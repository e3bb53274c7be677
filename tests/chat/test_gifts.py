"""A gift of the ledger is shown once."""

from uuid import uuid4

from chat.gifts import GiftScreen
from chat.members import GiftFace
from tests.chat.test_server import gift_event


def test_a_repeat_is_not_shown() -> None:
    screen = GiftScreen(lambda gift_id: GiftFace("Rose", "🌹"), capacity=2)
    events = [gift_event(uuid4(), uuid4()) for _ in range(3)]
    assert all(screen.frame(event) for event in events)
    assert screen.frame(events[2]) is None
    assert screen.frame(events[1]) is None
    assert screen.frame(events[0]), "beyond its memory it knows no better"


def test_a_gift_that_left_the_catalogue_is_shown_by_its_id() -> None:
    frame = GiftScreen(lambda gift_id: None).frame(gift_event(uuid4(), uuid4(), "retired"))
    assert frame is not None
    assert (frame["name"], frame["emoji"]) == ("retired", "🎁")
