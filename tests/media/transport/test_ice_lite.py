import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.transport.ice_lite import (
    MAX_ADDRESSES,
    MAX_CHECK_BYTES,
    Checked,
    IceLite,
    IceSession,
    Refused,
    StunDrop,
    StunRefusal,
)
from media.transport.ice_secret import IceSecret
from media.wire.offer import IceCredentials

OURS = IceCredentials("ourufrag", "ourpasswordourpassword")
FRESH = IceCredentials("newufrag", "newpasswordnewpassword")
SECRET = IceSecret(bytes(range(32)))
FORMER = SECRET.credentials("0123456789abcdef")
HOME = ("127.0.0.1", 4000)
AWAY = ("192.0.2.7", 5000)


def check(
    credentials: IceCredentials = OURS, *, nominate: bool = False, **attributes: object
) -> bytes:
    request = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        transaction_id=b"transaction!",
        attributes={
            "USERNAME": f"{credentials.ufrag}:theirs",
            "PRIORITY": 1,
            "ICE-CONTROLLING": 7,
            **({"USE-CANDIDATE": None} if nominate else {}),
            **attributes,
        },
    )
    request.add_message_integrity(credentials.pwd.encode())
    return bytes(request)


@pytest.fixture
def ice() -> IceLite:
    return IceLite(SECRET)


@pytest.fixture
def session(ice: IceLite) -> IceSession:
    return ice.register("session", OURS)


def test_a_valid_check_is_answered_and_binds_its_address(ice: IceLite, session: IceSession) -> None:
    checked = ice.receive(check(), HOME)
    assert isinstance(checked, Checked)
    assert checked.session is session
    assert (session.addresses, session.selected) == ([HOME], HOME)
    response = stun.parse_message(checked.response)
    assert response.message_class is stun.Class.RESPONSE
    assert response.transaction_id == b"transaction!"
    assert response.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert response.check_message_integrity(OURS.pwd.encode())


def test_priority_may_be_missing(ice: IceLite, session: IceSession) -> None:
    request = stun.Message(
        stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ourufrag:theirs"}
    )
    request.add_message_integrity(OURS.pwd.encode())
    assert isinstance(ice.receive(bytes(request), HOME), Checked)


def test_the_latest_nomination_is_where_to_send(ice: IceLite, session: IceSession) -> None:
    ice.receive(check(), HOME)
    ice.receive(check(), AWAY)
    assert session.selected == HOME
    ice.receive(check(nominate=True), AWAY)
    assert session.selected == AWAY
    ice.receive(check(), HOME)
    assert session.selected == AWAY
    assert ice.session_at(HOME) is ice.session_at(AWAY) is session


def test_a_forged_check_changes_nothing(ice: IceLite, session: IceSession) -> None:
    refused = ice.receive(check(IceCredentials("ourufrag", "x" * 22)), AWAY)
    assert isinstance(refused, Refused)
    assert refused.reason is StunRefusal.FORGED
    assert stun.parse_message(refused.response).attributes["ERROR-CODE"][0] == 401
    assert (session.addresses, session.selected) == ([], None)


def test_a_check_without_integrity_is_refused(ice: IceLite, session: IceSession) -> None:
    request = stun.Message(
        stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ourufrag:theirs"}
    )
    refused = ice.receive(bytes(request), AWAY)
    assert isinstance(refused, Refused)
    assert refused.reason is StunRefusal.NO_INTEGRITY
    assert session.selected is None


def test_a_controlled_peer_is_told_so(ice: IceLite, session: IceSession) -> None:
    refused = ice.receive(check(**{"ICE-CONTROLLED": 7}), HOME)
    assert isinstance(refused, Refused)
    assert refused.reason is StunRefusal.ROLE_CONFLICT
    assert stun.parse_message(refused.response).attributes["ERROR-CODE"][0] == 487
    assert session.selected is None


def test_strangers_get_no_answer(ice: IceLite, session: IceSession) -> None:
    assert ice.receive(check(FRESH), HOME) is StunDrop.UNKNOWN_UFRAG
    no_name = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    assert ice.receive(bytes(no_name), HOME) is StunDrop.UNKNOWN_UFRAG


def test_the_consent_of_a_session_that_is_over_is_revoked(ice: IceLite) -> None:
    """It may have been another process's, as long as that one had the same key."""
    refused = ice.receive(check(FORMER), HOME)
    assert isinstance(refused, Refused)
    assert refused.reason is StunRefusal.REVOKED
    response = stun.parse_message(refused.response)
    assert response.message_class is stun.Class.ERROR
    assert response.attributes["ERROR-CODE"] == (403, "Forbidden")
    assert response.transaction_id == b"transaction!"
    assert response.check_message_integrity(FORMER.pwd.encode())
    assert ice.session_at(HOME) is None

    session = ice.register("again", FORMER)
    assert isinstance(ice.receive(check(FORMER), HOME), Checked)
    ice.unregister(session)
    assert isinstance(ice.receive(check(FORMER), HOME), Refused)


def test_nobody_learns_of_a_former_session_without_its_password(ice: IceLite) -> None:
    forged = IceCredentials(FORMER.ufrag, "0" * 32)
    assert ice.receive(check(forged), HOME) is StunDrop.UNKNOWN_UFRAG
    request = stun.Message(
        stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": f"{FORMER.ufrag}:theirs"}
    )
    assert ice.receive(bytes(request), HOME) is StunDrop.UNKNOWN_UFRAG


def test_an_ice_restart_revokes_nothing(ice: IceLite) -> None:
    """Checks with the credentials before may still be on their way."""
    session = ice.register("session", FORMER)
    second, third = (SECRET.credentials(c * 16) for c in "ab")
    for fresh in (second, third):
        ice.restart(session, fresh)
        assert isinstance(ice.receive(check(fresh), HOME), Checked)
    assert ice.receive(check(second), HOME) is StunDrop.UNKNOWN_UFRAG
    ice.unregister(session)
    assert isinstance(ice.receive(check(second), HOME), Refused)
    assert isinstance(ice.receive(check(third), HOME), Refused)


@pytest.mark.parametrize(
    "message_class", [stun.Class.INDICATION, stun.Class.RESPONSE, stun.Class.ERROR]
)
def test_only_requests_are_answered(
    ice: IceLite, session: IceSession, message_class: stun.Class
) -> None:
    message = stun.Message(stun.Method.BINDING, message_class)
    message.add_message_integrity(OURS.pwd.encode())
    assert ice.receive(bytes(message), HOME) is StunDrop.NOT_A_REQUEST
    other = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
    assert ice.receive(bytes(other), HOME) is StunDrop.NOT_A_REQUEST


def test_malformed_requests(ice: IceLite, session: IceSession) -> None:
    whole = check()
    assert ice.receive(whole[:-1], HOME) is StunDrop.MALFORMED
    forged = whole[:-1] + bytes([whole[-1] ^ 1])
    assert ice.receive(forged, HOME) is StunDrop.MALFORMED  # FINGERPRINT
    assert ice.receive(whole + bytes(MAX_CHECK_BYTES), HOME) is StunDrop.MALFORMED
    assert ice.receive(b"\0\1" + b"\0\0" + bytes(16), HOME) is StunDrop.NOT_A_REQUEST  # cookie
    assert ice.receive(b"", HOME) is StunDrop.NOT_A_REQUEST


AUTHENTIC_BYTES = len(check()) - 8 - 24  # what stands before MESSAGE-INTEGRITY and FINGERPRINT


@given(st.binary(max_size=80), st.integers(0, AUTHENTIC_BYTES - 1))
def test_any_bytes_are_survived(noise: bytes, position: int) -> None:
    ice = IceLite(SECRET)
    session = ice.register("session", OURS)
    whole = check()
    damaged = whole[:position] + noise + whole[position + len(noise) :]
    for datagram in (noise, damaged, b"\x00\x01" + noise):
        if datagram != whole:
            ice.receive(datagram, HOME)
    assert session.selected is None


def test_addresses_are_bounded_and_the_selected_one_stays(
    ice: IceLite, session: IceSession
) -> None:
    ice.receive(check(nominate=True), HOME)
    for port in range(MAX_ADDRESSES + 3):
        assert isinstance(ice.receive(check(), ("192.0.2.7", port)), Checked)
    assert len(session.addresses) == MAX_ADDRESSES
    assert session.selected == HOME
    assert ice.session_at(HOME) is session
    assert [ice.session_at(("192.0.2.7", port)) for port in range(5)] == [None] * 4 + [session]


def test_an_address_is_one_sessions_until_it_ends(ice: IceLite, session: IceSession) -> None:
    ice.receive(check(), HOME)
    other = ice.register("other", FRESH)
    assert ice.receive(check(FRESH), HOME) is StunDrop.FOREIGN_ADDRESS
    assert (other.addresses, ice.session_at(HOME)) == ([], session)
    ice.unregister(session)
    assert ice.session_at(HOME) is None
    assert isinstance(ice.receive(check(FRESH), HOME), Checked)
    assert ice.session_at(HOME) is other


def test_after_a_restart_the_old_credentials_hold_until_the_new_ones_are_used(
    ice: IceLite, session: IceSession
) -> None:
    ice.restart(session, FRESH)
    assert session.credentials == FRESH
    old = ice.receive(check(OURS), HOME)
    assert isinstance(old, Checked)
    assert stun.parse_message(old.response).check_message_integrity(OURS.pwd.encode())
    assert isinstance(ice.receive(check(FRESH), HOME), Checked)
    assert ice.receive(check(OURS), HOME) is StunDrop.UNKNOWN_UFRAG


def test_unregistering_forgets_both_generations(ice: IceLite, session: IceSession) -> None:
    ice.restart(session, FRESH)
    ice.unregister(session)
    assert ice.receive(check(OURS), HOME) is StunDrop.UNKNOWN_UFRAG
    assert ice.receive(check(FRESH), HOME) is StunDrop.UNKNOWN_UFRAG
    ice.register("again", OURS)


def test_a_user_name_is_claimed_once(ice: IceLite, session: IceSession) -> None:
    with pytest.raises(ValueError, match="in use"):
        ice.register("other", OURS)
    with pytest.raises(ValueError, match="in use"):
        ice.restart(session, OURS)
