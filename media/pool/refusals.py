"""Refusals of the media plane across a control channel: the same class, words and fields."""

from typing import Final

from media import errors
from media.errors import MediaRefusal
from media.pool.messages import Refusal

_REFUSALS: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, MediaRefusal)
}


class UnknownRefusal(ValueError):
    """The other end refuses with a class that this end has not."""


def pack(refusal: MediaRefusal) -> Refusal:
    """The refusal as a value; its fields are what its constructor set."""
    return Refusal(type(refusal).__name__, str(refusal), dict(vars(refusal)))


def unpack(refusal: Refusal) -> MediaRefusal:
    """The refusal that was packed, to be raised. Raises UnknownRefusal."""
    kind = _REFUSALS.get(refusal.name)
    if kind is None:
        raise UnknownRefusal(f"an unknown refusal {refusal.name[:80]!r}")
    # Not through the constructor, whose parameters are the words' parts and not the words.
    unpacked = kind.__new__(kind, refusal.message)
    vars(unpacked).update(refusal.fields)
    return unpacked
