"""Sender reports to viewers (RFC 3550 §6.4.1): the publisher's clock on each viewer's timeline.

Every viewer gets one a second. They are spread over that second: reports to everybody at once would
hold up the packets behind them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from media.deadlines import Deadlines
from media.plane import StreamPlane
from media.relay.tracks import KINDS, SentTrack
from media.wire.rtcp import SenderReport, build_sdes, build_sender_report

INTERVAL_S: Final = 1.0
STEP_S: Final = 0.005
"""How often reports go out at most."""
_LONGEST_STEP_S: Final = 0.1  # what was missed for longer is not made up for at once
_SPEED: Final = 1.25  # how much faster than even, so that all get round in time
_NOT_BEGUN_S: Final = 0.05


class ViewerReports:
    """The reports to the viewers of one stream; `cname` is what their SDP says of our tracks."""

    def __init__(self, plane: StreamPlane, cname: str) -> None:
        self._plane = plane
        self._cname = cname
        self._due = Deadlines()
        self._last_step: float | None = None

    def add(self, viewer_id: int, now: float) -> None:
        """Report to this viewer as soon as a track has begun and its clock is known."""
        self._due.set(viewer_id, now)

    def remove(self, viewer_id: int) -> None:
        """Report no longer."""
        self._due.discard(viewer_id)

    def poll(self, now: float) -> Iterator[tuple[int, bytes]]:
        """The reports to send now, each with its viewer."""
        step_s = STEP_S if self._last_step is None else now - self._last_step
        if step_s < STEP_S or all(self._plane.clock(kind) is None for kind in KINDS):
            return
        self._last_step = now
        share = min(step_s, _LONGEST_STEP_S) / INTERVAL_S * _SPEED
        left = 1 + int(len(self._due) * share)
        for viewer_id in self._due.take(now):
            report = self._report(self._plane.sent(viewer_id), now)
            self._due.set(viewer_id, now + (INTERVAL_S if report else _NOT_BEGUN_S))
            if report:
                yield viewer_id, report
            left -= 1
            if left == 0:
                return

    def _report(self, tracks: Sequence[SentTrack], now: float) -> bytes:
        reports = b""
        ssrcs = []
        for track in tracks:
            clock = self._plane.clock(track.kind)
            if clock is None:
                continue
            ntp, timestamp = clock.at(now)
            own_timestamp = (timestamp + track.timestamp_offset) & 0xFFFFFFFF
            reports += build_sender_report(
                SenderReport(track.ssrc, ntp, own_timestamp, track.packets, track.octets)
            )
            ssrcs.append(track.ssrc)
        return reports + build_sdes(ssrcs, self._cname) if reports else b""
