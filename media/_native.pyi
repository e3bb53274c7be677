"""The native module (media/native/*.c), where it could be built."""

from collections.abc import Iterable

from typing_extensions import Buffer

from media.relay.tracks import Address, Kind, RelayPacket, Viewer

class Srtp:
    """SRTP and SRTCP of one peer, both directions; one thread at a time.

    `profile` is the place of an `SrtpProfile` in its enumeration; `local` and `remote` are master
    keys followed by master salts, as in `SrtpKeys`. Raises ValueError where they do not fit.
    """

    def __new__(cls, profile: int, local: Buffer, remote: Buffer) -> Srtp: ...
    @classmethod
    def derived(cls, profile: int, key: Buffer, salt: Buffer, mac_key: Buffer, /) -> Srtp:
        """With session keys, the same for all directions: what known answers are given for."""

    @staticmethod
    def derive(master_key: Buffer, master_salt: Buffer, label: int, size: int, /) -> bytes:
        """A session key (RFC 3711 §4.3), as `media.relay.protection.derive` gives it."""

    def protect(self, header: Buffer, payload: Buffer, index: int, /) -> bytes:
        """The SRTP packet under this extended sequence number of 48 bits.

        Raises ValueError for a header of less than 12 bytes, a packet of more than 65,535, and an
        index that is too large.
        """

    def protect_rtcp(self, packet: Buffer, /) -> bytes:
        """The SRTCP packet of a compound packet; each gets the next index. Raises ValueError."""

    def unprotect(self, packet: Buffer, /) -> bytes:
        """The RTP packet.

        Raises ValueError, with one of `malformed`, `forged`, `replayed`, `too many SSRCs`.
        """

    def unprotect_rtcp(self, packet: Buffer, /) -> bytes:
        """The compound RTCP packet. Raises ValueError as `unprotect` does."""

class Fanout:
    """What `media.relay.native_fanout.NativeFanout` is made of; see `media.relay.fanout.Fanout`.

    `sender` is a non-blocking UDP socket, or a function in its place: (datagrams, segment, address)
    to an errno, 0 where they were taken; `segment` is 0 for one datagram, else the size at which
    the kernel would have cut them. Raises TypeError, ValueError or OverflowError for arguments that
    make no sense, and RuntimeError where it is called while it is sending.
    """

    def __new__(
        cls,
        sender: object,
        *,
        cache_max_packets: int,
        cache_max_bytes: int,
        cache_s: float,
        max_viewers: int = ...,
    ) -> Fanout: ...

    segments: bool
    """Whether datagrams of one size go to the kernel as one; False once that was refused."""

    @property
    def counters(self) -> tuple[int, int, int]:
        """Packets times viewers: forwarded, dropped, resent."""

    @property
    def waiting(self) -> int: ...
    def add_viewer(self, viewer: Viewer, /) -> None: ...
    def remove_viewer(self, viewer_id: int, /) -> None: ...
    def set_address(self, viewer_id: int, address: Address, /) -> None: ...
    def pause(self, viewer_id: int, /) -> None: ...
    def resume(self, viewer_id: int, /) -> None: ...
    def send(self, batch: Iterable[RelayPacket], now: float, /) -> None: ...
    def resend(
        self, viewer_id: int, ssrc: int, sequences: Iterable[int], now: float, /
    ) -> None: ...
    def sent(self, viewer_id: int, /) -> list[tuple[Kind, int, int, int, int]]: ...
