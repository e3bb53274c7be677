"""RTP header extensions that the relay knows (RFC 8285): their URIs, and whose they are.

Some are ours: they are stamped for each viewer as its packets go out. Others belong to the picture
or the sound and pass from the publisher to every viewer who agreed to them. What is not named here
is not agreed to, and never reaches a viewer.
"""

from enum import StrEnum
from typing import Final

MAX_PASSED: Final = 8
"""Extensions of the publisher that one packet carries on; more are left out."""

MAX_VALUE_BYTES: Final = 255
"""The longest value that the two-byte form can hold (RFC 8285 §4.3)."""

MAX_MID_BYTES: Final = 32
"""The longest MID that is written into packets; browsers use one or two characters."""


class Extension(StrEnum):
    """A header extension by its URI; the order gives each the number that native code knows."""

    MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
    ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    TRANSPORT_SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
    AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    COLOR_SPACE = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"
    VIDEO_CONTENT_TYPE = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
    ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    DEPENDENCY_DESCRIPTOR = (
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    )

    @property
    def number(self) -> int:
        """Its place in the enumeration, 0..15: the name that native code has for it."""
        return NUMBERS[self]


NUMBERS: Final[dict[Extension, int]] = {each: number for number, each in enumerate(Extension)}

STAMPED: Final = (Extension.MID, Extension.ABS_SEND_TIME, Extension.TRANSPORT_SEQUENCE)
"""Written by us, in this order, in front of all others."""

PASSED: Final = tuple(each for each in Extension if each not in STAMPED)
"""Copied from the publisher's packet."""
