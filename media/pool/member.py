"""A worker as the pool sees it: its process, what it told last, what was asked of it since."""

from typing import Final
from uuid import UUID

from media.pool.child import WorkerProcess
from media.pool.client import WorkerClient
from media.pool.messages import Beat
from media.pool.placement import Host, Load
from media.pool.recent import Recent
from media.pool.streams import PlacedStream

SETTLED_S: Final = 5.0
"""So long after it was placed, a stream is in what its worker tells of its load."""
CONNECTING_S: Final = 2.0
"""So long after it was let in, a viewer is most likely connected, and counted as such."""


class Member:
    """One worker of a pool."""

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.beat: Beat | None = None
        self.no_edge_until = float("-inf")
        """Feeds don't reach it, so it is to be no edge before that."""
        self.admitting = 0
        """Viewers who are being let in."""
        self._admitted = 0  # since the beat
        self._placed = Recent(SETTLED_S)
        self._connecting: dict[UUID, Recent] = {}

    @property
    def name(self) -> str:
        return self.process.name

    @property
    def client(self) -> WorkerClient | None:
        """Where to ask it; None while it doesn't run."""
        running = self.process.running
        return running.client if running is not None else None

    @property
    def viewer_sessions(self) -> int:
        """Viewers, connected or connecting or being let in."""
        known = self.beat.viewer_sessions if self.beat is not None else 0
        return known + self._admitted + self.admitting

    def on_beat(self, beat: Beat, now: float) -> None:
        """It told its figures."""
        self.beat, self._admitted = beat, 0
        self._connecting = {
            stream_id: recent for stream_id, recent in self._connecting.items() if recent.count(now)
        }

    def on_down(self) -> None:
        """Nothing of what was known holds for the next process."""
        self.beat, self._admitted = None, 0
        self._connecting.clear()

    def placed(self, now: float) -> None:
        """A stream was placed here, whose packets are yet to come."""
        self._placed.add(now)

    def admitted(self, stream_id: UUID, now: float) -> None:
        """It let a viewer in."""
        self._admitted += 1
        self._connecting.setdefault(stream_id, Recent(CONNECTING_S)).add(now)

    def load(self, now: float) -> Load:
        """For placing a stream."""
        beat = self.beat
        return Load(
            worker=self.name,
            packets_per_s=beat.packets_per_s if beat is not None else 0.0,
            streams=beat.figures.streams if beat is not None else 0,
            placed=self._placed.count(now),
        )

    def host(self, stream: PlacedStream, *, serves: bool, now: float) -> Host:
        """For placing a viewer of `stream`; `serves` says whether the stream is here already."""
        connecting = self._connecting.get(stream.stream_id)
        return Host(
            load=self.load(now),
            viewers=stream.viewers.get(self.name, 0) + (connecting.count(now) if connecting else 0),
            busy=self.beat.figures.busy if self.beat is not None else 0.0,
            is_origin=stream.worker == self.name,
            serves=serves,
            may_pull=now >= self.no_edge_until,
        )
