"""What people write, made safe to show beside what others write.

- Tabs and line breaks become spaces, other control characters go.
- Bidirectional overrides, embeddings and isolates (Unicode TR9 §2) go: they would reorder the
  text of other people's messages around them. Joiners stay, emoji and scripts need them.
- Normal form C (Unicode TR15), so that equal looks are equal strings.
"""

import unicodedata

_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_BIDI_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CLEANED: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(127, 160))),
    **{ord(character): " " for character in _SPACES},
    **{ord(character): None for character in _BIDI_CONTROLS},
    0xFEFF: None,
}
_UNSEEN = frozenset({"Cf", "Zs", "Mn", "Me"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def cleaned(text: str) -> str:
    """`text` without what must not be shown, trimmed, in normal form C; idempotent."""
    return unicodedata.normalize("NFC", text.translate(_CLEANED)).strip()


def is_visible(text: str) -> bool:
    """Whether something in `text` leaves a mark on a screen."""
    return any(
        unicodedata.category(character) not in _UNSEEN and character not in _BLANK_LETTERS
        for character in text
    )
