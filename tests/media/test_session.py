from datetime import UTC, datetime
from uuid import UUID

import pytest

from media.session import TRANSITIONS, EndReason, Role, Session, SessionEvent, SessionState
from media.transport.certificate import DtlsCertificate
from media.transport.dtls import DtlsIdentity, DtlsPeer, DtlsState
from media.transport.ice_lite import IceLite
from media.transport.ice_secret import IceSecret
from media.wire.offer import Direction, IceCredentials, OfferedMedia, Setup

LIMITS = {"handshake_timeout_s": 10.0, "consent_timeout_s": 5.0}


@pytest.fixture
def session() -> Session:
    identity = DtlsIdentity(DtlsCertificate.generate(datetime(2026, 1, 31, tzinfo=UTC)))
    credentials = IceCredentials("ourufrag", "ourpasswordourpassword")
    return Session(
        session_id="id",
        number=1,
        role=Role.VIEWER,
        stream_id=UUID(int=5),
        ice=IceLite(IceSecret(bytes(32))).register("id", credentials),
        dtls=DtlsPeer(identity, [identity.fingerprint], is_client=False),
        setup=Setup.PASSIVE,
        remote_ice=credentials,
        first_media=OfferedMedia("video", "RTP", (), "0", Direction.RECVONLY, usable=True),
        created_at=100.0,
    )


def test_every_state_can_end_and_the_end_is_final() -> None:
    assert set(TRANSITIONS) == set(SessionState)
    assert TRANSITIONS[SessionState.CLOSED] == {}
    for state in set(SessionState) - {SessionState.CLOSED}:
        assert TRANSITIONS[state][SessionEvent.ENDED] is SessionState.CLOSED


def test_a_session_ends_once(session: Session) -> None:
    for event in (SessionEvent.CHECKED, SessionEvent.SECURED, SessionEvent.ENDED):
        session.on(event)
    with pytest.raises(KeyError):
        session.on(SessionEvent.ENDED)


def test_the_etag_follows_the_ice_session(session: Session) -> None:
    assert session.etag == '"ourufrag"'


def test_a_handshake_has_its_time(session: Session) -> None:
    assert session.end_reason(110.0, 110.0, **LIMITS) is None
    assert session.end_reason(110.1, 110.1, **LIMITS) is EndReason.HANDSHAKE_TIMEOUT
    session.on(SessionEvent.CHECKED)
    assert session.end_reason(110.1, 110.1, **LIMITS) is EndReason.HANDSHAKE_TIMEOUT


def test_a_connected_peer_must_be_heard(session: Session) -> None:
    session.on(SessionEvent.CHECKED)
    session.on(SessionEvent.SECURED)
    assert session.end_reason(205.0, 200.0, **LIMITS) is None
    assert session.end_reason(205.1, 200.0, **LIMITS) is EndReason.CONSENT_LOST


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (DtlsState.CLOSED, EndReason.PEER_CLOSED),
        (DtlsState.FAILED, EndReason.HANDSHAKE_FAILED),
    ],
)
def test_the_end_of_dtls_is_the_end(session: Session, state: DtlsState, reason: EndReason) -> None:
    session.dtls.state = state
    assert session.end_reason(100.0, 100.0, **LIMITS) is reason
