"""Why the media plane refuses, and what to do about it.

MediaRefusal                    .code is the protocol's code, str() is for people
├── InvalidSdp                  invalid_sdp           the offer or fragment can't be understood
├── NoMedia                     no_media              nothing in it that could be sent or watched
├── NoCommonCodec               no_common_codec       no codec that both ends have
├── StreamBusy                  stream_busy           another publisher is sending
├── StreamHeld                  stream_stopped        stopped a moment ago         (retry_after_s)
├── StreamOffline               stream_offline        nobody is sending            (retry_after_s)
├── TooManyViewers              too_many_viewers      this worker is full          (retry_after_s)
├── MediaUnavailable            unavailable           this worker takes no session (retry_after_s)
│   └── StreamRestarting        unavailable           its worker died, its publisher is awaited
├── UnknownSession              unknown_session       no such session of that stream and role
├── PreconditionRequired        precondition_required PATCH without If-Match
├── PreconditionFailed          precondition_failed   If-Match names another ICE session
├── UnknownStream               unknown_stream        not in the catalogue
├── InvalidTitle                invalid_request       (field)
└── TooManyStreams              invalid_request       (field)
PortTaken (OSError)             raised by MediaWorker.start
NoNativePlane (RuntimeError)    raised by MediaWorker, where media.plane = native and there is none
"""

from typing import ClassVar


class MediaRefusal(Exception):
    """A request that is refused; nothing has changed."""

    code: ClassVar[str]


class InvalidSdp(MediaRefusal):
    """The SDP can't be understood, or lacks what WebRTC must have."""

    code = "invalid_sdp"


class NoMedia(MediaRefusal):
    """The offer has no audio or video in the direction that the endpoint serves."""

    code = "no_media"


class NoCommonCodec(MediaRefusal):
    """The offer has media, but in no codec that can be relayed."""

    code = "no_common_codec"


class StreamBusy(MediaRefusal):
    """The stream has a live publisher."""

    code = "stream_busy"

    def __init__(self) -> None:
        super().__init__("This stream is already live. Stop the other publisher first.")


class StreamHeld(MediaRefusal):
    """The stream was stopped a moment ago: by an admin, or for what its encoder sent."""

    code = "stream_stopped"

    def __init__(self, left_s: float) -> None:
        super().__init__("This stream was stopped. It may be live again in a moment.")
        self.retry_after_s = left_s


class StreamOffline(MediaRefusal):
    """The stream has no publisher now."""

    code = "stream_offline"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("This stream is not live. Try again when it is.")


class TooManyViewers(MediaRefusal):
    """The worker's places for viewers are taken."""

    code = "too_many_viewers"
    retry_after_s = 10

    def __init__(self, limit: int) -> None:
        super().__init__(f"All {limit} places for viewers are taken. Try again later.")


class MediaUnavailable(MediaRefusal):
    """The worker takes no further session now."""

    code = "unavailable"
    retry_after_s = 5


class StreamRestarting(MediaUnavailable):
    """The worker that had the stream died; the stream waits for its publisher, elsewhere."""

    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("The media worker of this stream was started again. Try again at once.")


class UnknownSession(MediaRefusal):
    """No session of this stream and role has that id; it may have ended."""

    code = "unknown_session"

    def __init__(self) -> None:
        super().__init__("There is no such session. It may have ended; start a new one with POST.")


class PreconditionRequired(MediaRefusal):
    """RFC 9725 §4.3.1: a PATCH names the ICE session that it is about."""

    code = "precondition_required"

    def __init__(self) -> None:
        super().__init__('Send If-Match with the ETag of the session, or "*" to restart ICE.')


class PreconditionFailed(MediaRefusal):
    """RFC 9725 §4.3.1: the PATCH is about an ICE session that is over."""

    code = "precondition_failed"


class UnknownStream(MediaRefusal):
    """The catalogue has no such stream, or not for this owner."""

    code = "unknown_stream"

    def __init__(self) -> None:
        super().__init__("There is no such stream.")


class InvalidTitle(MediaRefusal):
    """A title that is empty, too long or not printable."""

    code = "invalid_request"
    field = "title"


class TooManyStreams(MediaRefusal):
    """The owner has as many streams as one may have."""

    code = "invalid_request"
    field = "title"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} streams, which is the most. Use one of them.")


class PortTaken(OSError):
    """The worker's UDP port is in use or not ours to bind."""


class NoNativePlane(RuntimeError):
    """The settings ask for the native data plane, which this installation lacks."""

    def __init__(self) -> None:
        super().__init__(
            "media.plane is native, but media._native was not built. Install a C compiler and"
            " OpenSSL's headers and build the package again, or set media.plane to auto."
        )
