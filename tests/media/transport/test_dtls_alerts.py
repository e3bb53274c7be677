"""Against OpenSSL as the other end, for every suite that the server offers."""

from datetime import UTC, datetime

import pytest

from media.transport import dtls
from media.transport.certificate import DtlsCertificate
from media.transport.dtls import DtlsIdentity, DtlsPeer, DtlsState
from media.transport.dtls_alerts import suite_of

SUITES = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")


@pytest.fixture(params=SUITES)
def identity(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DtlsIdentity:
    """An end that knows one suite alone."""
    monkeypatch.setattr(dtls, "_CIPHERS", f"ECDHE-ECDSA-{request.param}")
    return DtlsIdentity(DtlsCertificate.generate(datetime(2026, 1, 31, tzinfo=UTC)))


@pytest.fixture(params=["server", "client"])
def ends(request: pytest.FixtureRequest, identity: DtlsIdentity) -> tuple[DtlsPeer, DtlsPeer]:
    """Our end, which is settled, and the other end; both connected."""
    server, client = (
        DtlsPeer(identity, [identity.fingerprint], is_client=is_client)
        for is_client in (False, True)
    )
    flight = client.start()
    while flight:
        answers = [out for datagram in flight for out in server.receive(datagram)]
        flight = [out for datagram in answers for out in client.receive(datagram)]
    ours, theirs = (server, client) if request.param == "server" else (client, server)
    ours.settle()
    assert ours.state is theirs.state is DtlsState.CONNECTED
    return ours, theirs


def test_openssl_takes_our_close(ends: tuple[DtlsPeer, DtlsPeer]) -> None:
    ours, theirs = ends
    [alert] = ours.close()
    theirs.receive(alert)
    assert ours.state is theirs.state is DtlsState.CLOSED
    assert ours.close() == []


def test_the_close_of_openssl_is_taken(ends: tuple[DtlsPeer, DtlsPeer]) -> None:
    ours, theirs = ends
    for datagram in theirs.close():
        assert ours.receive(datagram) == []
    assert ours.state is DtlsState.CLOSED
    assert ours.close() == []


def test_a_forged_close_is_not_taken(ends: tuple[DtlsPeer, DtlsPeer]) -> None:
    ours, theirs = ends
    [alert] = theirs.close()
    for at in range(len(alert)):
        forged = bytearray(alert)
        forged[at] ^= 1
        ours.receive(bytes(forged))
        assert ours.state is DtlsState.CONNECTED, at
    for size in range(len(alert)):
        ours.receive(alert[:size])
    assert ours.state is DtlsState.CONNECTED
    ours.receive(alert)
    assert ours.state is DtlsState.CLOSED


def test_records_before_the_alert_are_passed_over(ends: tuple[DtlsPeer, DtlsPeer]) -> None:
    ours, theirs = ends
    handshake = bytes.fromhex("16fefd0000000000000005000401020304")
    ours.receive(handshake + b"".join(theirs.close()))
    assert ours.state is DtlsState.CLOSED


def test_a_suite_that_is_not_offered_is_unknown() -> None:
    with pytest.raises(KeyError):
        suite_of("ECDHE-ECDSA-AES128-SHA")
