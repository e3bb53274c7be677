"""The chat's section refuses what could not work."""

import pytest
from pydantic import ValidationError

from config.chat import ChatSettings


def test_defaults_are_those_of_the_protocol() -> None:
    settings = ChatSettings()
    assert (settings.port, settings.hello_timeout_s, settings.ping_interval_s) == (8081, 5, 20)
    assert (settings.max_frame_bytes, settings.max_text_chars) == (4096, 500)
    assert (settings.messages_per_10_s, settings.history_size) == (10, 50)


def test_the_longest_history_fits_the_outgoing_budget() -> None:
    """Four bytes a character, and half a kilobyte for names and ids."""
    settings = ChatSettings()
    longest = settings.history_size * (4 * settings.max_text_chars + 512)
    assert longest < settings.outgoing_budget_bytes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outgoing_budget_bytes", 1),
        ("max_frame_bytes", 10),
        ("max_connections", 0),
        ("viewers_interval_s", 0),
        ("trusted_proxies", ["nonsense"]),
    ],
)
def test_values_that_could_not_work(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        ChatSettings(**{field: value})  # type: ignore[arg-type]
