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
    def derived(
        cls, profile: int, key: Buffer, salt: Buffer, mac_key: Buffer, by_openssl: bool = False, /
    ) -> Srtp:
        """With session keys, the same for all directions: what known answers are given for.

        `by_openssl` leaves the processor's own instructions for AES-GCM aside.
        """

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

def starts_keyframe(codec: str, payload: Buffer, /) -> bool:
    """`media.wire.keyframe.starts_keyframe`."""

def classify(datagram: Buffer, /) -> str:
    """`media.transport.demux.classify`."""

def walk_rtcp(packet: Buffer, /) -> tuple[list[tuple[int, tuple[int, ...]]], bool] | None:
    """The NACKs of a compound packet, (media SSRC, numbers) each, and whether it says more than
    that; None where it is malformed, or longer than 2,048 bytes."""

def be_prompt() -> int:
    """Ask for an event loop's place among the threads; the former nice of the calling one."""

def be_ordinary(nice: int, /) -> None:
    """The calling thread is an ordinary one of this nice again. Raises ValueError."""

class Addresses:
    """Who is at an address: the plane's table, for tests. Owners are numbers above 0."""

    def __new__(cls, seed: bytes, limit: int) -> Addresses: ...
    def __len__(self) -> int: ...
    def put(self, address: Address, owner: int, ssrc: int = 0, /) -> bool: ...
    def get(self, address: Address, ssrc: int = 0, /) -> int | None: ...
    def remove(self, address: Address, owner: int, ssrc: int = 0, /) -> None: ...

_Track = tuple[int, str, int, int | None, int | None, int, tuple[tuple[int, int], ...]]
_Block = tuple[int, int, int, int, int, int, int]
_Packet = tuple[int, int, int, bool, bool, bytes, tuple[tuple[int, bytes], ...]]

class Ingest:
    """The ingress of one stream, for tests: `media.relay.publisher_ingest.PublisherIngest` with
    tuples for its values and numbers for kinds and extensions."""

    def __new__(cls, max_bitrate_bps: float) -> Ingest: ...
    def set_publisher(self, tracks: tuple[_Track, ...], now: float, /) -> None: ...
    def publisher_gone(self) -> None: ...
    def receive(self, packets: list[bytes], now: float, /) -> list[_Packet]: ...
    def on_sender_report(self, ssrc: int, ntp: int, rtp_timestamp: int, now: float, /) -> None: ...
    def on_bye(self, ssrc: int, /) -> None: ...
    def reports(self, now: float, /) -> tuple[_Block, ...]: ...
    def missing(self, now: float, /) -> tuple[int, tuple[int, ...]] | None: ...
    def media_ssrc(self, kind: int, /) -> int | None: ...
    def clock(self, kind: int, /) -> tuple[int, int, float, int] | None: ...
    def stats(self, now: float, /) -> tuple[tuple[int, str, int, int, int], ...]: ...
    def totals(self) -> tuple[int, int, int]:
        """Refused, over the bit rate, keyframes."""

class Peer:
    """Whoever has agreed on keys with us. The keys are as `Srtp` has them."""

    def __new__(
        cls, number: int, is_publisher: bool, profile: int, local: Buffer, remote: Buffer
    ) -> Peer: ...
    @property
    def heard_at(self) -> float: ...

class Sent:
    """How much went to a viewer, written by the plane's thread."""

    def __new__(cls) -> Sent: ...
    def read(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(packets, octets) of audio and of video."""

class Plane:
    """The data plane of one UDP socket, in a thread of its own; `media.native_plane` shapes it.

    The socket's descriptor is duplicated, `seed` has 16 random bytes. Commands take effect soon, in
    their order; they raise RuntimeError where tens of thousands of them wait already, and do
    nothing after `close`. Raises OSError where there is no thread or descriptor left.
    """

    def __new__(
        cls,
        fd: int,
        seed: bytes,
        cache_max_packets: int,
        cache_max_bytes: int,
        cache_s: float,
        max_viewers: int,
        resends_per_s: float,
        max_publisher_bitrate_bps: float,
    ) -> Plane: ...
    @property
    def event_fd(self) -> int:
        """Readable while there is something to take."""

    @property
    def cpu_s(self) -> float:
        """CPU time that the thread has used; 0 after `close`."""

    def close(self) -> None:
        """End the thread, and wait for it. May be called twice."""

    def send(self, datagram: Buffer, address: Address, /) -> bool: ...
    def send_rtcp(self, peer: Peer, packet: Buffer, /) -> bool: ...
    def add_peer(self, peer: Peer, /) -> None: ...
    def remove_peer(self, peer: Peer, /) -> None: ...
    def bind(self, peer: Peer, address: Address, ssrc: int = 0, /) -> None: ...
    def unbind(self, peer: Peer, address: Address, /) -> None: ...
    def select(self, peer: Peer, address: Address, /) -> None: ...
    def hear(self) -> None:
        """Let `event_fd` be readable anew; to be called before what waits is taken."""

    def take_control(self) -> list[tuple[int, bytes, Address]]:
        """STUN (0) and DTLS (1) since the last time, with where they came from."""

    def take_feedback(self) -> tuple[list[tuple[int, bytes]], list[int]]:
        """RTCP of peers, and streams that need attention, since the last time."""

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Received datagrams by kind, those dropped by reason."""

    def relay_times(self) -> tuple[tuple[tuple[float, int], ...], float]:
        """(upper bound in s, packets), the shortest times first; the sum of the times in s."""

class Stream:
    """One stream of a plane; `media.native_stream` shapes it."""

    def __new__(cls, plane: Plane, number: int) -> Stream: ...
    @property
    def waiting(self) -> int: ...
    def set_publisher(self, peer: Peer, tracks: tuple[_Track, ...], now: float, /) -> None: ...
    def publisher_gone(self) -> None: ...
    def add_viewer(self, peer: Peer, viewer: Viewer, sent: Sent, /) -> None:
        """Serve `peer`, whose keys are good for it once. Raises ValueError the second time."""

    def remove_viewer(self, peer: Peer, /) -> None: ...
    def pause(self, peer: Peer, /) -> None: ...
    def resume(self, peer: Peer, /) -> None: ...
    def resend(self, peer: Peer, ssrc: int, sequences: tuple[int, ...], /) -> None: ...
    def on_sender_report(self, ssrc: int, ntp: int, rtp_timestamp: int, now: float, /) -> None: ...
    def on_bye(self, ssrc: int, /) -> None: ...
    def reports(self, now: float, /) -> tuple[_Block, ...]: ...
    def missing(self, now: float, /) -> tuple[int, tuple[int, ...]] | None: ...
    def media_ssrc(self, kind: int, /) -> int | None: ...
    def clock(self, kind: int, /) -> tuple[int, int, float, int] | None: ...
    def stats(self, now: float, /) -> tuple[tuple[int, str, int, int, int], ...]: ...
    def totals(self) -> tuple[int, int, int]:
        """Refused, over the bit rate, keyframes."""

    def counters(self) -> tuple[int, int, int]:
        """Forwarded, dropped, resent."""

    def close(self) -> None: ...
