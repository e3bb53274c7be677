import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from media.transport.certificate import DtlsCertificate
from media.transport.dtls import MTU, DtlsIdentity, DtlsPeer, DtlsState
from media.transport.srtp import SrtpProfile
from media.wire.offer import Fingerprint

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> DtlsIdentity:
    return DtlsIdentity(DtlsCertificate.generate(NOW))


@pytest.fixture(scope="module")
def client() -> DtlsIdentity:
    return DtlsIdentity(DtlsCertificate.generate(NOW))


def pair(server: DtlsIdentity, client: DtlsIdentity) -> tuple[DtlsPeer, DtlsPeer]:
    return (
        DtlsPeer(server, [client.fingerprint], is_client=False),
        DtlsPeer(client, [server.fingerprint], is_client=True),
    )


def exchange(
    server: DtlsPeer, client: DtlsPeer, towards_server: list[bytes], lost: int = -1
) -> list[bytes]:
    """Everything both say until neither has more, but for the datagram number `lost`."""
    wire: list[bytes] = []

    def arriving(datagrams: list[bytes]) -> list[bytes]:
        first = len(wire)
        wire.extend(datagrams)
        return [data for number, data in enumerate(datagrams, first) if number != lost]

    while towards_server:
        towards_client = [out for d in arriving(towards_server) for out in server.receive(d)]
        towards_server = [out for d in arriving(towards_client) for out in client.receive(d)]
    return wire


def test_a_handshake_gives_both_ends_the_same_keys(
    server: DtlsIdentity, client: DtlsIdentity
) -> None:
    ours, theirs = pair(server, client)
    assert ours.start() == []
    wire = exchange(ours, theirs, theirs.start())
    assert (ours.state, theirs.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert ours.keys is not None
    assert theirs.keys is not None
    assert ours.keys.profile is SrtpProfile.AEAD_AES_128_GCM
    assert (ours.keys.local, ours.keys.remote) == (theirs.keys.remote, theirs.keys.local)
    assert max(map(len, wire)) <= MTU


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_datagram_is_sent_again(
    server: DtlsIdentity, client: DtlsIdentity, lost: int
) -> None:
    ours, theirs = pair(server, client)
    exchange(ours, theirs, theirs.start(), lost)
    assert theirs.on_timer() == []
    time.sleep(1.01)  # OpenSSL reads the system's clock itself; its first timer is one second
    answers = [out for datagram in ours.on_timer() for out in theirs.receive(datagram)]
    exchange(ours, theirs, answers + theirs.on_timer())
    assert (ours.state, theirs.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)


def test_another_certificate_than_announced_is_refused(
    server: DtlsIdentity, client: DtlsIdentity
) -> None:
    foreign = Fingerprint("sha-256", bytes(32))
    ours = DtlsPeer(server, [client.fingerprint, foreign], is_client=False)
    theirs = DtlsPeer(client, [server.fingerprint], is_client=True)
    exchange(ours, theirs, theirs.start())
    assert ours.state is DtlsState.FAILED
    assert ours.keys is None
    assert ours.receive(b"\x16") == []


def test_close_notify_ends_the_association(server: DtlsIdentity, client: DtlsIdentity) -> None:
    ours, theirs = pair(server, client)
    exchange(ours, theirs, theirs.start())
    for datagram in theirs.close():
        ours.receive(datagram)
    assert ours.state is DtlsState.CLOSED
    assert ours.close() == []


def test_garbage_costs_nothing(server: DtlsIdentity, client: DtlsIdentity) -> None:
    ours, theirs = pair(server, client)
    for garbage in (b"", b"\x16", b"\x16" * 64, bytes(65_535), b"\x17\xfe\xfd" + bytes(40)):
        ours.receive(garbage)
    exchange(ours, theirs, theirs.start())
    assert ours.state is DtlsState.CONNECTED
    for garbage in (b"", b"\x17\xfe\xfd" + bytes(40), b"\x15\xfe\xfd" + bytes(12)):
        ours.receive(garbage)
    assert ours.state is DtlsState.CONNECTED


def test_rsa_certificates_of_peers_are_taken(server: DtlsIdentity) -> None:
    certificate = DtlsCertificate.generate(NOW)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    rsa_identity = DtlsIdentity(DtlsCertificate.sign(key, NOW))
    assert certificate.fingerprint != rsa_identity.fingerprint
    theirs = DtlsPeer(rsa_identity, [server.fingerprint], is_client=False)
    ours = DtlsPeer(server, [rsa_identity.fingerprint], is_client=True)
    exchange(theirs, ours, ours.start())
    assert ours.state is DtlsState.CONNECTED
