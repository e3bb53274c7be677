"""Every refusal has its code, and every code is in the protocol."""

import re
from collections.abc import Iterator
from pathlib import Path

from chat.errors import ChatRefusal, CloseCode, GiftRefused, TimedOut

PROTOCOL = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"
OF_THE_LEDGER = {
    "unknown_gift",
    "insufficient_funds",
    "own_stream",
    "idempotency_mismatch",
}


def refusals(kind: type[ChatRefusal] = ChatRefusal) -> Iterator[type[ChatRefusal]]:
    for child in kind.__subclasses__():
        if child.__module__ == ChatRefusal.__module__ and child is not GiftRefused:
            yield child
        yield from refusals(child)


def test_codes_are_those_of_the_protocol() -> None:
    text = PROTOCOL.read_text()
    (listed,) = re.findall(r"^Refusal codes: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    codes = [refusal.code for refusal in refusals()]
    assert len(codes) == len(set(codes))
    assert set(codes) | OF_THE_LEDGER == set(re.findall(r"`([a-z_]+)`", listed)) - {
        "retry_after_ms",
        "until",
    }


def test_close_codes_are_those_of_the_protocol() -> None:
    text = PROTOCOL.read_text()
    (listed,) = re.findall(r"^Close codes: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    by_the_library = {1009}
    assert set(map(int, CloseCode)) | by_the_library == set(map(int, re.findall(r"\d{4}", listed)))


def test_messages_are_sentences_and_details_ride_along() -> None:
    for refusal in refusals():
        assert refusal.message.endswith(".")
        assert refusal.__doc__ != ChatRefusal.__doc__
    assert TimedOut(until="then").details == {"until": "then"}
    assert GiftRefused("own_stream", "No.").code == "own_stream"
