"""What a publisher is told and asked, sans I/O: reports, missing packets, keyframes.

Receiver reports go every second, requests when they are due.
"""

from typing import Final

from media.plane import StreamPlane
from media.relay.keyframe_requests import KeyframeRequests
from media.wire.rtcp import (
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_sdes,
)

RECEIVER_SSRC: Final = 1  # ours in feedback: we send the publisher no media, so any will do
REPORT_INTERVAL_S: Final = 1.0


class PublisherFeedback:
    """Feedback to whoever publishes the stream now."""

    def __init__(
        self, plane: StreamPlane, *, cname: str, keyframe_interval_s: float, bitrate_bps: int
    ) -> None:
        self.ssrc = RECEIVER_SSRC
        self.keyframes = KeyframeRequests(keyframe_interval_s)
        self._plane = plane
        self._cname = cname
        self._bitrate_bps = bitrate_bps
        self._report_due = float("-inf")
        self._keyframes_seen = 0

    def want_keyframe(self) -> None:
        """A viewer, or a new publisher's viewers, need a keyframe later than those seen so far."""
        self._note_keyframes()
        self.keyframes.want()

    def poll(self, now: float) -> bytes:
        """The compound RTCP packet to send the publisher now, empty if there is none."""
        feedback = self._reports(now)
        requests = self._requests(now)
        if requests and not feedback:
            feedback = build_receiver_report(self.ssrc, ())  # RFC 3550 §6.1: it begins so
        return feedback + requests

    def _reports(self, now: float) -> bytes:
        if now < self._report_due:
            return b""
        blocks = self._plane.reports(now)
        if not blocks:
            return b""
        self._report_due = now + REPORT_INTERVAL_S
        # Browsers trust REMB for a quick start; what they then send follows the losses reported.
        return (
            build_receiver_report(self.ssrc, blocks)
            + build_sdes((self.ssrc,), self._cname)
            + build_remb(self.ssrc, self._bitrate_bps, [block.ssrc for block in blocks])
        )

    def _requests(self, now: float) -> bytes:
        self._note_keyframes()
        media_ssrc = self._plane.media_ssrc("video")
        if media_ssrc is None:
            return b""
        requests = b""
        missing = self._plane.missing(now)
        if missing is not None:
            requests += build_nack(self.ssrc, missing.media_ssrc, missing.sequences)
        if self.keyframes.due(now, waiting=self._plane.waiting > 0):
            requests += build_pli(self.ssrc, media_ssrc)
        return requests

    def _note_keyframes(self) -> None:
        began = self._plane.keyframes
        if began != self._keyframes_seen:
            self._keyframes_seen = began
            self.keyframes.keyframe_came()
