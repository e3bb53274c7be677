"""`a=extmap` lines: which header extensions a client knows, and under which ids (RFC 8285 §5)."""

from collections.abc import Iterator
from typing import NamedTuple

from media.errors import InvalidSdp
from media.wire.extensions import Extension
from media.wire.sdp import Attributes, is_uint

MAX_ID = 255
"""The highest id that a packet can carry; those from 4096 on are for later negotiation (§7)."""

MAX_SHORT_ID = 14
"""The highest id of the one-byte form."""

# Values of the others are known to fit the one-byte form.
_MAY_BE_LONG = frozenset({Extension.COLOR_SPACE, Extension.DEPENDENCY_DESCRIPTOR})

_DIRECTIONS = {
    "sendrecv": (True, True),
    "sendonly": (True, False),
    "recvonly": (False, True),
    "inactive": (False, False),
}
_BY_URI = {each.value: each for each in Extension}
_ANSWER_SUFFIX = {(True, True): "", (True, False): "/recvonly", (False, True): "/sendonly"}


class OfferedExtension(NamedTuple):
    """An extension that the relay knows; `sent` and `received` are the client's side of it."""

    id: int
    extension: Extension
    sent: bool
    received: bool

    @property
    def is_short(self) -> bool:
        """Whether it always fits the one-byte form, which every client reads."""
        return self.id <= MAX_SHORT_ID and self.extension not in _MAY_BE_LONG

    def answer_line(self) -> str:
        """The line that agrees to it."""
        suffix = _ANSWER_SUFFIX[self.sent, self.received]
        return f"a=extmap:{self.id}{suffix} {self.extension}"


def offered_extensions(session: Attributes, section: Attributes) -> tuple[OfferedExtension, ...]:
    """The extensions of a section, those for the whole session included, in their order.

    Of two lines with the same id or the same extension the first one counts. Raises InvalidSdp
    where a line can't be understood.
    """
    offered: dict[Extension, OfferedExtension] = {}
    taken: set[int] = set()
    for attributes in (section, session):
        for each in _known(attributes):
            if each.id not in taken and each.extension not in offered:
                taken.add(each.id)
                offered[each.extension] = each
    return tuple(each for each in offered.values() if each.sent or each.received)


def _known(attributes: Attributes) -> Iterator[OfferedExtension]:
    for value in attributes.all("extmap"):
        mapping, _, rest = value.partition(" ")
        number, _, direction = mapping.partition("/")
        uri, _, _ = rest.strip().partition(" ")
        if not is_uint(number, 0xFFFF) or (direction or "sendrecv") not in _DIRECTIONS or not uri:
            raise InvalidSdp(f"The line a=extmap:{value[:40]} can't be understood.")
        sent, received = _DIRECTIONS[direction or "sendrecv"]
        extension = _BY_URI.get(uri)
        if extension is not None and 1 <= int(number) <= MAX_ID:
            yield OfferedExtension(int(number), extension, sent, received)
