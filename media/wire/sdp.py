"""SDP as lines: sections and attributes, bounded, with no opinion on what they mean (RFC 8866)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from media.errors import InvalidSdp

MAX_BYTES = 64 * 1024
MAX_LINES = 2000
MAX_SECTIONS = 16


@dataclass(slots=True)
class Attributes:
    """The `a=` lines of a section in their order."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def first(self, name: str) -> str | None:
        """The value of the first attribute of that name; empty for a flag."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[str]:
        """The values of every attribute of that name."""
        return (value for key, value in self.lines if key == name)

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.lines)


@dataclass(slots=True)
class Section:
    """An `m=` line and the attributes below it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: Attributes = field(default_factory=Attributes)


@dataclass(slots=True)
class Sdp:
    """A description: the session's own attributes, then the media sections."""

    attributes: Attributes = field(default_factory=Attributes)
    sections: list[Section] = field(default_factory=list)


def parse_sdp(text: str) -> Sdp:
    """The lines of a whole description.

    Raises InvalidSdp where it is too large, doesn't start with `v=0`, or has a malformed line.
    """
    lines = _lines(text)
    if lines[0] != "v=0":
        raise InvalidSdp("This is no SDP: the first line must be v=0.")
    return _parse(lines)


def parse_sdp_fragment(text: str) -> Sdp:
    """The lines of an `application/trickle-ice-sdpfrag` (RFC 8840 §9). Raises InvalidSdp."""
    return _parse(_lines(text))


def _lines(text: str) -> list[str]:
    # The characters are counted first, so that a huge text is not encoded to find out.
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise InvalidSdp(f"The SDP is too large; at most {MAX_BYTES} bytes are read.")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise InvalidSdp("The SDP is empty.")
    if len(lines) > MAX_LINES:
        raise InvalidSdp(f"The SDP has too many lines; at most {MAX_LINES} are read.")
    return lines


def _parse(lines: list[str]) -> Sdp:
    sdp = Sdp()
    attributes = sdp.attributes
    for number, line in enumerate(lines, start=1):
        if len(line) < 2 or line[1] != "=":
            raise InvalidSdp(f"Line {number} of the SDP is not of the form x=value.")
        if not line.isprintable():
            raise InvalidSdp(f"Line {number} of the SDP has control characters.")
        if line[0] == "m":
            if len(sdp.sections) == MAX_SECTIONS:
                raise InvalidSdp(f"The SDP has more than {MAX_SECTIONS} media sections.")
            section = _parse_media_line(line[2:], number)
            sdp.sections.append(section)
            attributes = section.attributes
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            attributes.lines.append((name, value.strip()))
    return sdp


def _parse_media_line(value: str, number: int) -> Section:
    parts = value.split()
    if len(parts) < 4 or not is_uint(parts[1], 0xFFFF):
        raise InvalidSdp(f"Line {number} of the SDP is no valid m= line.")
    kind, port, protocol, *formats = parts
    return Section(kind, int(port), protocol, tuple(formats))


def is_uint(text: str, maximum: int) -> bool:
    """Whether `text` is a plain decimal number of at most `maximum`."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= maximum
