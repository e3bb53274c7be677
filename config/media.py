"""Settings of the media plane."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.section import Section


def _ip_address(value: str) -> str:
    return str(ip_address(value))


IpAddress = Annotated[str, AfterValidator(_ip_address)]


class MediaSettings(Section):
    """WebRTC in and out."""

    bind_host: IpAddress = "127.0.0.1"
    """IP address that the UDP socket binds to; `0.0.0.0` takes all of the machine's."""

    public_addresses: tuple[IpAddress, ...] = Field(default=("127.0.0.1",), min_length=1)
    """IP addresses offered to peers as ICE host candidates, the preferred one first."""

    udp_port: int = Field(default=7000, ge=0, le=65535)
    """UDP port of the media worker, the first one where there are several; 0 takes free ones."""

    workers: int = Field(default=1, ge=1, le=64)
    """1 relays in the server's own process; more are processes, at as many UDP ports in a row."""

    feed_address: IpAddress | None = None
    """IP address at which media workers reach each other; if unset, `bind_host`, or the loopback
    address where that is none of a single interface."""

    cascade_viewers: int = Field(default=1000, ge=1)
    """Viewers of one stream at one worker, beyond which another worker pulls the stream, too."""

    cascade_busy: float = Field(default=0.8, gt=0)
    """CPU seconds a second of a worker, beyond which its streams' next viewers go to another one
    that pulls the stream."""

    @property
    def feed_host(self) -> str:
        """The address at which other workers reach this one."""
        if self.feed_address is not None:
            return self.feed_address
        bound = ip_address(self.bind_host)
        if not bound.is_unspecified:
            return self.bind_host
        return "127.0.0.1" if bound.version == 4 else "::1"

    @model_validator(mode="after")
    def _ports_exist(self) -> Self:
        if self.udp_port and self.udp_port + self.workers - 1 > 65_535:
            raise ValueError("udp_port and workers: the last worker's port would be above 65535")
        return self

    plane: Literal["auto", "native", "python"] = "auto"
    """What moves the packets: `auto` is the native module where it was built, else Python."""

    max_streams: int = Field(default=100, ge=1)
    """Streams taken at once; a further publisher gets 503 with Retry-After."""

    max_viewers: int = Field(default=5000, ge=1)
    """Viewers taken at once, over all streams; further ones get 503 with Retry-After."""

    max_pending_sessions: int = Field(default=500, ge=1)
    """Sessions that may be between their offer and the end of their DTLS handshake at once."""

    handshake_timeout_s: float = Field(default=10.0, gt=0)
    """A session that is not connected so long after its offer ends."""

    consent_timeout_s: float = Field(default=10.0, gt=0)
    """A peer that sends nothing authentic (STUN checks, SRTP, SRTCP) for so long is gone."""

    reconnect_window_s: float = Field(default=30.0, ge=0)
    """How long a stream waits for its publisher to come back before it ends."""

    takeover_silence_s: float = Field(default=2.0, gt=0)
    """A publisher silent for so long may be replaced by itself without waiting for consent loss."""

    stop_hold_s: float = Field(default=60.0, ge=0)
    """How long a stream that an admin stopped, or that sent more than it may, can't be published:
    encoders reconnect at once."""

    publisher_bitrate_bps: int = Field(default=8_000_000, ge=100_000)
    """The most that a publisher is told to send, in bits a second of all its tracks (REMB)."""

    max_publisher_bitrate_bps: int = Field(default=20_000_000, ge=100_000)
    """What a publisher sends beyond this is dropped, in bits a second of all its tracks."""

    overrun_timeout_s: float = Field(default=5.0, gt=0)
    """A publisher that is beyond its bit rate for so long is disconnected, and told why."""

    viewer_transport_cc: bool = False
    """Viewers report on every packet (transport-wide feedback), many times a second: their losses
    are counted to the packet and at once, at the price of those reports. Else once a second."""

    keyframe_interval_s: float = Field(default=1.0, gt=0)
    """A publisher is asked for a keyframe at most this often, however many viewers need one."""

    cache_max_packets: int = Field(default=4096, ge=64)
    """Packets of a track kept for viewers who lost some; a second of the stream should fit."""

    cache_max_bytes: int = Field(default=4 * 1024 * 1024, ge=65_536)
    """Bytes of a track kept for viewers who lost some; the default is a second of 32 Mbit/s."""

    cache_s: float = Field(default=1.5, ge=1.0)
    """How long a packet is kept for viewers who lost it; longer than players wait for it."""

    resend_packets_per_s: int = Field(default=256, ge=1)
    """Lost packets that one viewer gets again in a second; the stream itself goes on beyond it."""
