"""What is left of a text is safe to show, and cleaning it again changes nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.text import cleaned, is_visible


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_cleaning_is_idempotent_and_leaves_no_controls(raw: str) -> None:
    text = cleaned(raw)
    assert cleaned(text) == text
    assert text == text.strip()
    assert unicodedata.is_normalized("NFC", text)
    assert not any(unicodedata.category(character) == "Cc" for character in text)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  hi  ", "hi"),
        ("two\nlines\tand", "two lines and"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),
        ("\u202egnp.exe\u2069", "gnp.exe"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("\ufeffhi", "hi"),
    ],
)
def test_cleaned(raw: str, text: str) -> None:
    assert cleaned(raw) == text


@pytest.mark.parametrize("text", ["", " ", "\u200b\u200d", "\u3164", "\u2800", "\u00a0", "\u0301"])
def test_nothing_to_see(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", [".", "é", "\u200b👍", "ا", "\U0001fae8"])
def test_something_to_see(text: str) -> None:
    assert is_visible(text)
