"""One RTP source of the publisher (an SSRC and its run of numbers), joined on to its track.

When a publisher comes back, or restarts its encoder, another source takes the place of the last;
`media.relay.ingest` decides when.
"""

from typing import Final

from media.relay.losses import Losses
from media.relay.reception import Reception
from media.relay.sender_clock import SenderClock
from media.relay.seqmap import SeqMap
from media.wire.rtcp import SenderReport
from media.wire.rtp import RtpHeader, extend

# RFC 3550 §A.1, with more room for late packets, since they may be retransmissions.
MAX_DROPOUT: Final = 3000
MAX_MISORDER: Final = 1000


class Source:
    """Puts packets in the track's order: each number comes out once, from `first` on.

    `timestamp_offset` leads from the source's timestamps to the track's.
    """

    def __init__(
        self, header: RtpHeader, *, clock_rate: int, first: int, timestamp_offset: int
    ) -> None:
        self.ssrc = header.ssrc
        self.timestamp_offset = timestamp_offset
        self.losses = Losses()
        self.reception = Reception(header.sequence, clock_rate)
        self.clock: SenderClock | None = None
        self._clock_rate = clock_rate
        self._highest = header.sequence - 1
        self._numbers = SeqMap(first)
        self._numbers.skip_to(header.sequence)

    def fits(self, header: RtpHeader) -> bool:
        """Whether a packet goes on where the source is, as opposed to somewhere else entirely."""
        if header.ssrc != self.ssrc:
            return False
        ahead = extend(header.sequence, self._highest) - self._highest
        return -MAX_MISORDER <= ahead < MAX_DROPOUT

    def receive(self, header: RtpHeader, now: float, *, leave_out: bool = False) -> int | None:
        """Count a packet that fits; its number in the track, or None for a repetition.

        `leave_out` asks for no number, if none of the later packets has one yet.
        """
        sequence = extend(header.sequence, self._highest)
        self.reception.received(sequence, header.timestamp, now)
        return self._number(sequence, now, leave_out=leave_out)

    def recover(self, sequence: int, now: float) -> int | None:
        """As `receive`, for what came by RTX under its original 16-bit number."""
        extended = extend(sequence, self._highest)
        if extended > self._highest + MAX_DROPOUT:
            return None
        return self._number(extended, now, leave_out=False)

    def _number(self, sequence: int, now: float, *, leave_out: bool) -> int | None:
        if sequence > self._highest:
            if sequence > self._highest + 1:
                self.losses.lacking(range(self._highest + 1, sequence), now)
            self._highest = sequence
        elif not self.losses.recovered(sequence, now):
            return None
        if leave_out and self._numbers.drop(sequence):
            return None
        return self._numbers.map(sequence)

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        """Learn the source's clock."""
        self.reception.on_sender_report(report.ntp, now)
        timestamp = (report.rtp_timestamp + self.timestamp_offset) & 0xFFFFFFFF
        self.clock = SenderClock(report.ntp, timestamp, now, self._clock_rate)
