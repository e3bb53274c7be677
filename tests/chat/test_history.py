"""The last events, each once."""

from hypothesis import given
from hypothesis import strategies as st

from chat.frames import Frame
from chat.history import RecentHistory, event_key


def said(key: int) -> Frame:
    return {"t": "message", "message_id": str(key)}


def gift(key: int) -> Frame:
    return {"t": "gift", "event_id": str(key)}


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_it_holds_the_last_ones_once(keys: list[int], size: int) -> None:
    history = RecentHistory(size)
    model: list[str] = []
    for key in keys:
        assert history.append(said(key)) == (str(key) not in model)
        if str(key) not in model:
            model = [*model, str(key)][-size:]
        assert [event_key(event) for event in history.events()] == model
    assert len(history) == len(model)


def test_messages_and_gifts_have_keys() -> None:
    history = RecentHistory(5)
    assert history.append(said(1))
    assert history.append(gift(2))
    assert not history.append(gift(2))


def test_removed_is_removed() -> None:
    history = RecentHistory(5)
    history.append(said(1))
    history.remove("1")
    history.remove("never there")
    assert history.events() == []


def test_what_was_missed_is_told_when_the_store_is_read_again() -> None:
    history = RecentHistory(5)
    for key in (1, 2):
        history.append(said(key))
    assert history.replace([said(2), said(3), gift(4)]) == [said(3), gift(4)]
    assert history.events() == [said(2), said(3), gift(4)]
