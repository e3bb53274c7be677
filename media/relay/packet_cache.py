"""The last packets of one track, so that a viewer's NACK is answered without the publisher.

A ring indexed by the relay's sequence number. It is bounded by packets, by bytes and by time; with
the default bounds it holds a second and more of a stream of up to 30 Mbit/s.
"""

from typing import NamedTuple

from media.relay.tracks import RelayPacket


class _Kept(NamedTuple):
    packet: RelayPacket
    since: float


class PacketCache:
    """Keeps packets by sequence; the oldest give way. Lookup and insertion take constant time.

    A packet is held while it is among the newest `max_packets` numbers, while it and all newer ones
    have at most `max_bytes` of payload, and while it was added at most `max_age_s` before the last.
    """

    def __init__(self, max_packets: int, max_bytes: int, max_age_s: float) -> None:
        self._slots: list[_Kept | None] = [None] * max_packets
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._added_at = float("-inf")
        self._bytes = 0
        self._oldest = self._end = 0  # held sequences lie in [_oldest, _end)

    @property
    def size_bytes(self) -> int:
        """Payload bytes in the ring."""
        return self._bytes

    def add(self, packet: RelayPacket, now: float) -> bool:
        """Keep `packet`; False if one of its number was kept before or it is too old to tell."""
        sequence = packet.sequence
        capacity = len(self._slots)
        if sequence >= self._end + capacity:
            self._forget_until(self._end)
            self._oldest, self._end = sequence + 1 - capacity, sequence
        if sequence < self._oldest or self._at(sequence) is not None:
            return False
        self._end = max(self._end, sequence + 1)
        self._forget_until(self._end - capacity)
        self._slots[sequence % capacity] = _Kept(packet, now)
        self._added_at = now
        self._bytes += len(packet.payload)
        while self._bytes > self._max_bytes:
            self._forget_until(self._oldest + 1)
        return True

    def get(self, sequence: int) -> RelayPacket | None:
        """The packet of that number, if it is held."""
        kept = self._at(sequence)
        if kept is None or kept.since < self._added_at - self._max_age_s:
            return None
        return kept.packet

    def _at(self, sequence: int) -> _Kept | None:
        if not self._oldest <= sequence < self._end:
            return None
        return self._slots[sequence % len(self._slots)]

    def _forget_until(self, sequence: int) -> None:
        while self._oldest < sequence:
            slot = self._oldest % len(self._slots)
            forgotten = self._slots[slot]
            if forgotten is not None:
                self._bytes -= len(forgotten.packet.payload)
                self._slots[slot] = None
            self._oldest += 1
