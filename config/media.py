"""Settings of the media plane."""

from pydantic import Field

from config.section import Section


class MediaSettings(Section):
    """WebRTC in and out."""

    bind_host: str = "127.0.0.1"
    """Address that the UDP socket binds to."""

    public_addresses: tuple[str, ...] = ("127.0.0.1",)
    """IP addresses offered to peers as ICE host candidates."""

    udp_port: int = Field(default=7000, ge=0, le=65535)
    """UDP port of the media worker; 0 takes a free one."""

    max_viewers: int = Field(default=5000, ge=1)
    """Viewers that one worker takes; further ones get 503 with Retry-After."""

    consent_timeout_s: float = Field(default=10.0, gt=0)
    """A peer that sends no valid STUN check for so long is gone (RFC 7675)."""

    reconnect_window_s: float = Field(default=30.0, ge=0)
    """How long a stream waits for its publisher to come back before it ends."""
