"""One DTLS association as a value machine: datagrams in, datagrams out (RFC 6347, RFC 5764).

Drives OpenSSL over memory buffers. OpenSSL itself keeps the retransmission timer, by the system's
clock; `on_timer` must be called every now and then (50 ms) until the handshake is over. The only
importer of pyOpenSSL.
"""

from collections.abc import Sequence
from enum import StrEnum

from cryptography import x509
from OpenSSL import SSL

from media.transport.certificate import DtlsCertificate, fingerprint
from media.transport.dtls_alerts import AlertChannel, suite_of
from media.transport.srtp import SrtpKeys, SrtpProfile
from media.wire.offer import Fingerprint

# Every datagram of a handshake fits any path (IPv6 minimum 1280 less headers).
MTU = 1200

# A handshake's largest honest datagrams are certificates; OpenSSL takes no larger record anyway.
MAX_DATAGRAM_BYTES = 4096

_DTLS_1_2 = 0xFEFD
_RECORD_HEADER_BYTES = 13
_CIPHERS = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES256-GCM-SHA384")
    for signature in ("ECDSA", "RSA")  # GStreamer's certificates are RSA
)


class DtlsState(StrEnum):
    """Where the association stands; `failed` and `closed` are final."""

    HANDSHAKE = "handshake"
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"


class DtlsIdentity:
    """The server's side of every association: certificate, ciphers, SRTP profiles."""

    def __init__(self, certificate: DtlsCertificate) -> None:
        self.fingerprint = certificate.fingerprint
        context = SSL.Context(SSL.DTLS_METHOD)
        # DTLS 1.3 records have another header, which _split_records would not know.
        context.set_min_proto_version(_DTLS_1_2)
        context.set_max_proto_version(_DTLS_1_2)
        context.set_cipher_list(_CIPHERS.encode())
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_tlsext_use_srtp(":".join(p.openssl_name for p in SrtpProfile).encode())
        # Peers are self-signed as we are: any certificate will do here, the fingerprint decides.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        self._context = context

    def connection(self, *, is_client: bool) -> SSL.Connection:
        """A fresh association over memory buffers."""
        connection = SSL.Connection(self._context)
        connection.set_ciphertext_mtu(MTU)
        if is_client:
            connection.set_connect_state()
        else:
            connection.set_accept_state()
        return connection


class DtlsPeer:
    """The association with one peer, from the first datagram to close_notify."""

    def __init__(
        self, identity: DtlsIdentity, fingerprints: Sequence[Fingerprint], *, is_client: bool
    ) -> None:
        self.state = DtlsState.HANDSHAKE
        self.keys: SrtpKeys | None = None
        """The SRTP keys, as soon as the state is CONNECTED."""
        self._fingerprints = tuple(fingerprints)
        self._is_client = is_client
        self._connection = identity.connection(is_client=is_client)
        self._alerts: AlertChannel | None = None
        """Stands in place of the connection once that is settled."""

    def start(self) -> list[bytes]:
        """What opens the handshake: a ClientHello from a client, nothing from a server."""
        self._advance()
        return self._outgoing()

    def receive(self, datagram: bytes) -> list[bytes]:
        """What to send in answer to a datagram; the state may have changed."""
        if self.state in (DtlsState.FAILED, DtlsState.CLOSED):
            return []
        if self._alerts is not None:
            if self._alerts.closes(datagram):
                self.state = DtlsState.CLOSED
            return []
        if 0 < len(datagram) <= MAX_DATAGRAM_BYTES:
            self._connection.bio_write(datagram)
            self._advance()
        return self._outgoing()

    def on_timer(self) -> list[bytes]:
        """What OpenSSL's timer wants sent again."""
        if self.state is not DtlsState.HANDSHAKE:
            return []
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            self.state = DtlsState.FAILED
        return self._outgoing()

    def settle(self) -> bool:
        """The peer has sent SRTP, so its handshake is over too: keep only what closing takes.

        Before that it may repeat its last flight, which only OpenSSL can answer. True the first
        time, when the association is freed.
        """
        if self.state is not DtlsState.CONNECTED or self._alerts is not None:
            return False
        connection = self._connection
        self._alerts = AlertChannel(
            suite_of(connection.get_cipher_name() or ""),
            connection.master_key() or b"",
            (connection.client_random() or b"", connection.server_random() or b""),
            is_client=self._is_client,
        )
        del self._connection
        return True

    def close(self) -> list[bytes]:
        """The close_notify alert, where there is an association to close."""
        if self._alerts is not None:
            datagrams = [self._alerts.close()] if self.state is DtlsState.CONNECTED else []
            self.state = DtlsState.CLOSED
            return datagrams
        if self.state is DtlsState.CONNECTED:
            try:
                self._connection.shutdown()
            except SSL.Error:  # the peer may be ahead of us
                self.state = DtlsState.FAILED
        datagrams = self._outgoing()
        self.state = DtlsState.CLOSED
        return datagrams

    def _advance(self) -> None:
        try:
            if self.state is DtlsState.HANDSHAKE:
                self._connection.do_handshake()
                self._finish_handshake()
            # Application data has no use here; reading it makes OpenSSL handle alerts, and answer
            # a repeated last flight.
            while self.state is DtlsState.CONNECTED:
                self._connection.recv(MAX_DATAGRAM_BYTES)
        except SSL.WantReadError:
            return
        except SSL.ZeroReturnError:
            self.state = DtlsState.CLOSED
        except SSL.Error:
            self.state = DtlsState.FAILED

    def _finish_handshake(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        profile = self._selected_profile()
        if certificate is None or profile is None or not self._is_expected(certificate):
            self.state = DtlsState.FAILED
            return
        material = self._connection.export_keying_material(
            b"EXTRACTOR-dtls_srtp", profile.material_bytes
        )
        self.keys = SrtpKeys.from_exporter(profile, material, is_client=self._is_client)
        self.state = DtlsState.CONNECTED

    def _selected_profile(self) -> SrtpProfile | None:
        name = self._connection.get_selected_srtp_profile().decode()
        return next((profile for profile in SrtpProfile if profile.openssl_name == name), None)

    def _is_expected(self, certificate: x509.Certificate) -> bool:
        """RFC 8122 §5: the certificate must have every fingerprint that the SDP announced."""
        return bool(self._fingerprints) and all(
            fingerprint(certificate, expected.algorithm) == expected
            for expected in self._fingerprints
        )

    def _outgoing(self) -> list[bytes]:
        flight = bytearray()
        while True:
            try:
                flight += self._connection.bio_read(65_536)
            except SSL.WantReadError:
                return _split_records(bytes(flight))


def _split_records(flight: bytes) -> list[bytes]:
    """Datagrams of whole records up to the MTU; a memory buffer joins what OpenSSL wrote."""
    datagrams: list[bytes] = []
    position = 0
    while position < len(flight):
        # RFC 6347 §4.1: type, version, epoch, sequence number, length.
        length = int.from_bytes(flight[position + 11 : position + 13], "big")
        record = flight[position : position + _RECORD_HEADER_BYTES + length]
        if datagrams and len(datagrams[-1]) + len(record) <= MTU:
            datagrams[-1] += record
        else:
            datagrams.append(record)
        position += len(record)
    return datagrams
