"""Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): what arrived.

Of each packet with a transport-wide sequence number it says whether it came, and when; the times
are for an estimation of bandwidth and are not read here.
"""

import struct
from typing import Final, NamedTuple

_FIXED = struct.Struct("!IIHH4x")  # SSRCs, base sequence, status count; reference time and count
_CHUNK_BYTES: Final = 2
_NOT_RECEIVED: Final = 0


class TransportFeedback(NamedTuple):
    """How many packets a message tells of, from a 16-bit number on, and how many never came."""

    base_sequence: int
    packets: int
    lost: int


def parse_transport_feedback(body: bytes) -> TransportFeedback:
    """Read what follows the RTCP header. Raises ValueError where it is cut off.

    The work is bounded by the body: a chunk of two bytes is one step, however much it stands for.
    """
    if len(body) < _FIXED.size:
        raise ValueError("transport feedback is shorter than its header")
    _, _, base_sequence, packets = _FIXED.unpack_from(body)
    lost, left, at = 0, packets, _FIXED.size
    while left > 0:
        if at + _CHUNK_BYTES > len(body):
            raise ValueError("transport feedback has fewer statuses than it claims")
        symbols, missing = _chunk(body[at] << 8 | body[at + 1], left)
        lost += missing
        left -= symbols
        at += _CHUNK_BYTES
    return TransportFeedback(base_sequence, packets, lost)


def _chunk(chunk: int, left: int) -> tuple[int, int]:
    """How many packets a status chunk is about, and how many of them never came."""
    if not chunk & 0x8000:  # §3.1.3: a run of one status
        run = min(chunk & 0x1FFF, left)
        # A run of nothing would never end.
        if run == 0:
            raise ValueError("transport feedback has a run of no packets")
        return run, run if chunk >> 13 & 3 == _NOT_RECEIVED else 0
    bits = 2 if chunk & 0x4000 else 1  # §3.1.4: a vector of statuses
    symbols = min(14 // bits, left)
    first = 14 - bits
    statuses = (chunk >> first - bits * n & (1 << bits) - 1 for n in range(symbols))
    return symbols, sum(status == _NOT_RECEIVED for status in statuses)
