"""One track of the publisher as viewers see it: a single timeline, whatever the publisher does.

The publisher may come back with another SSRC and other numbers, or restart its encoder on the way.
Sequence numbers then go on where they were, and timestamps go on by the time that has passed.
"""

from media.relay.arrival import Arrival
from media.relay.source import Source
from media.relay.stats import RateMeter, TrackStats
from media.relay.tracks import RelayPacket, TrackSpec
from media.wire.keyframe import starts_keyframe
from media.wire.rtcp import SenderReport
from media.wire.rtp import RTX_HEADER_SIZE, RtpHeader, original_sequence


def _is_followed_by(stranger: Arrival, header: RtpHeader) -> bool:
    return (
        header.ssrc == stranger.header.ssrc
        and header.sequence == (stranger.header.sequence + 1) & 0xFFFF
    )


class TrackIngest:
    """Decrypted packets of one track in, `RelayPacket`s out, while a publisher is there."""

    def __init__(self, spec: TrackSpec, now: float) -> None:
        self.spec = spec
        self._is_published = True
        self.source: Source | None = None
        # A packet from elsewhere; when the next follows it, it was the first of a new source.
        self._stranger: Arrival | None = None
        self._next = 0
        self._newest: tuple[int, float] | None = None  # timestamp, when it came
        self._packets = 0
        self._lost_before = 0
        self._rate = RateMeter(now)

    @property
    def media_ssrc(self) -> int | None:
        """The publisher's SSRC, if there is one and it is known."""
        if not self._is_published:
            return None
        return self.source.ssrc if self.source is not None else self.spec.ssrc

    def begin(self, spec: TrackSpec) -> None:
        """The publisher came back: what comes next is a new source, described by `spec`."""
        self.spec = spec
        self._is_published = True
        self._leave_source()

    def end(self) -> None:
        """The publisher is gone."""
        self._is_published = False
        self._leave_source()

    def receive(self, arrival: Arrival, now: float) -> list[RelayPacket]:
        """What to relay of a packet with the track's payload type."""
        source, header = self.source, arrival.header
        if source is not None and source.fits(header):
            self._stranger = None
            return self._relay(source, arrival, now)
        if source is None and self.spec.ssrc in (None, header.ssrc):
            return self._relay(self._take_source(header, now), arrival, now)
        return self._probe(arrival, now)

    def recover(self, arrival: Arrival, now: float) -> list[RelayPacket]:
        """What to relay of an RTX packet (RFC 4588)."""
        sequence = original_sequence(arrival.packet, arrival.header)
        if self.source is None or sequence is None:
            return []
        number = self.source.recover(sequence, now)
        return self._relayed(self.source, number, arrival.payload[RTX_HEADER_SIZE:], arrival, now)

    def leave_out(self, arrival: Arrival, now: float) -> list[RelayPacket]:
        """What to relay of a packet of the source with a payload type that nobody negotiated."""
        if self.source is None or not self.source.fits(arrival.header):
            return []
        number = self.source.receive(arrival.header, now, leave_out=True)
        return self._relayed(self.source, number, b"", arrival._replace(elements=()), now)

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        if self.source is not None and report.ssrc == self.source.ssrc and report.ntp:
            self.source.on_sender_report(report, now)

    def on_bye(self, ssrc: int) -> None:
        if self.source is not None and ssrc == self.source.ssrc:
            self._leave_source()

    def stats(self, now: float) -> TrackStats:
        lost = self.source.reception.lost if self.source is not None else 0
        return TrackStats(
            kind=self.spec.kind,
            codec=self.spec.codec,
            bitrate_bps=self._rate.bitrate_bps(now),
            packets=self._packets,
            lost=self._lost_before + max(lost, 0),
        )

    def _probe(self, arrival: Arrival, now: float) -> list[RelayPacket]:
        stranger, self._stranger = self._stranger, arrival
        if stranger is None or not _is_followed_by(stranger, arrival.header):
            return []
        self._leave_source()
        source = self._take_source(stranger.header, now)
        return self._relay(source, stranger, now) + self._relay(source, arrival, now)

    def _relay(self, source: Source, arrival: Arrival, now: float) -> list[RelayPacket]:
        payload = arrival.payload  # without any it is padding alone, which is a probe
        number = source.receive(arrival.header, now, leave_out=not payload)
        self._packets += 1
        self._rate.add(len(arrival.packet), now)
        return self._relayed(source, number, payload, arrival, now)

    def _relayed(
        self, source: Source, number: int | None, payload: bytes, arrival: Arrival, now: float
    ) -> list[RelayPacket]:
        if number is None:
            return []
        timestamp = (arrival.header.timestamp + source.timestamp_offset) & 0xFFFFFFFF
        if number >= self._next:
            self._next = number + 1
            self._newest = timestamp, now
        return [
            RelayPacket(
                kind=self.spec.kind,
                sequence=number,
                timestamp=timestamp,
                marker=arrival.header.marker,
                keyframe=starts_keyframe(self.spec.codec, payload),
                payload=payload,
                extensions=arrival.passed(self.spec),
            )
        ]

    def _take_source(self, header: RtpHeader, now: float) -> Source:
        offset = 0
        if self._newest is not None:
            timestamp, came_at = self._newest
            elapsed = max(1, round((now - came_at) * self.spec.clock_rate))
            offset = (timestamp + elapsed - header.timestamp) & 0xFFFFFFFF
        self.source = Source(
            header, clock_rate=self.spec.clock_rate, first=self._next, timestamp_offset=offset
        )
        return self.source

    def _leave_source(self) -> None:
        if self.source is not None:
            self._lost_before += max(self.source.reception.lost, 0)
        self.source = self._stranger = None
