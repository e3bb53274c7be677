"""Streams that were stopped and may not be published again at once.

Encoders reconnect by themselves within seconds, so without a hold a stop would stop nothing.
"""

from uuid import UUID


class Holds:
    """When each hold ends; what has ended is forgotten whenever another one begins."""

    def __init__(self) -> None:
        self._ends: dict[UUID, float] = {}

    def begin(self, stream_id: UUID, until: float, now: float) -> None:
        """Hold a stream until that time."""
        self._ends = {held: end for held, end in self._ends.items() if end > now}
        self._ends[stream_id] = until

    def left_s(self, stream_id: UUID, now: float) -> float:
        """How much longer the stream is held; 0 where it is not."""
        return max(0.0, self._ends.get(stream_id, now) - now)

    def __len__(self) -> int:
        return len(self._ends)
