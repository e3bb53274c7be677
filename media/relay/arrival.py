"""One packet of a publisher as it came, read once."""

from typing import NamedTuple

from media.relay.tracks import TrackSpec
from media.wire.extensions import MAX_PASSED, Extension
from media.wire.header_extensions import Element, header_extensions
from media.wire.rtp import RtpHeader, parse_rtp


class Arrival(NamedTuple):
    """A decrypted packet, its header, and the elements of its header extension."""

    packet: bytes
    header: RtpHeader
    elements: tuple[Element, ...]

    @property
    def payload(self) -> bytes:
        """What is left without header, CSRCs, extension and padding."""
        return self.packet[self.header.payload_start : self.header.payload_end]

    def passed(self, spec: TrackSpec) -> tuple[tuple[Extension, bytes], ...]:
        """Those header extensions that go on to viewers, as the publisher's SDP names them."""
        if not self.elements:
            return ()
        names = dict(spec.extensions)
        passed = [(names[key], value) for key, value in self.elements if key in names]
        return tuple(passed[:MAX_PASSED])


def read_arrival(packet: bytes) -> Arrival:
    """Read a decrypted packet. Raises RtpError for what is no RTP, its extension included."""
    header = parse_rtp(packet)
    return Arrival(packet, header, tuple(header_extensions(header)))
