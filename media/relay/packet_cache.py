"""The last packets of one track, so that a viewer's NACK is answered without the publisher.

A ring indexed by the relay's sequence number. It is bounded by packets and by bytes; with the
default bounds it holds a second and more of a stream of up to 30 Mbit/s.
"""

from media.relay.tracks import RelayPacket


class PacketCache:
    """Keeps packets by sequence; the oldest give way. Lookup and insertion take constant time."""

    def __init__(self, max_packets: int, max_bytes: int) -> None:
        self._slots: list[RelayPacket | None] = [None] * max_packets
        self._max_bytes = max_bytes
        self._bytes = 0
        self._oldest = self._end = 0  # held sequences lie in [_oldest, _end)

    @property
    def size_bytes(self) -> int:
        """Payload bytes held."""
        return self._bytes

    def add(self, packet: RelayPacket) -> bool:
        """Keep `packet`; False if one of its number was kept before or it is too old to tell."""
        sequence = packet.sequence
        capacity = len(self._slots)
        if sequence >= self._end + capacity:
            self._forget_until(self._end)
            self._oldest, self._end = sequence + 1 - capacity, sequence
        if sequence < self._oldest or self.get(sequence) is not None:
            return False
        self._end = max(self._end, sequence + 1)
        self._forget_until(self._end - capacity)
        self._slots[sequence % capacity] = packet
        self._bytes += len(packet.payload)
        while self._bytes > self._max_bytes:
            self._forget_until(self._oldest + 1)
        return True

    def get(self, sequence: int) -> RelayPacket | None:
        """The packet of that number, if it is held."""
        if not self._oldest <= sequence < self._end:
            return None
        return self._slots[sequence % len(self._slots)]

    def _forget_until(self, sequence: int) -> None:
        while self._oldest < sequence:
            slot = self._oldest % len(self._slots)
            forgotten = self._slots[slot]
            if forgotten is not None:
                self._bytes -= len(forgotten.payload)
                self._slots[slot] = None
            self._oldest += 1
