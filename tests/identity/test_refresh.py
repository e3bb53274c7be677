from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.errors import InvalidRefreshToken
from identity.refresh import RefreshToken

USER_ID, SESSION_ID = UUID(int=1), UUID(int=2)


def test_a_token_is_read_back() -> None:
    token = RefreshToken.first(USER_ID, SESSION_ID, token_bytes)
    assert RefreshToken.parse(token.text()) == token
    assert (token.user_id, token.session_id) == (USER_ID, SESSION_ID)


def test_a_successor_keeps_the_family_and_has_its_own_secret() -> None:
    token = RefreshToken.first(USER_ID, SESSION_ID, token_bytes)
    successor = token.successor(token_bytes)
    assert successor.family == token.family
    assert len(successor.secret) * 8 == 256
    assert successor.secret != token.secret


def test_no_two_sessions_share_a_family() -> None:
    tokens = [RefreshToken.first(USER_ID, SESSION_ID, token_bytes) for _ in range(2)]
    assert tokens[0].family != tokens[1].family


def test_the_server_keeps_hashes() -> None:
    token = RefreshToken.first(USER_ID, SESSION_ID, token_bytes)
    assert token.secret_hash == sha256(token.secret).hexdigest()
    assert token.family_hash == sha256(token.family).hexdigest()


def test_the_text_for_people_has_no_secret() -> None:
    token = RefreshToken(USER_ID, SESSION_ID, family=b"f" * 16, secret=b"s" * 32)
    assert "fff" not in repr(token)
    assert "sss" not in repr(token)


WHOLE = RefreshToken(USER_ID, SESSION_ID, b"f" * 16, b"s" * 32).text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rt_",
        WHOLE.removeprefix("rt_"),
        WHOLE[:-1],
        WHOLE + "A",
        WHOLE.replace("rt_", "at_"),
        WHOLE[:-4] + "====",
        WHOLE[:-1] + "ä",
        WHOLE[:-1] + "\ud800",
        WHOLE[:-2] + "..",
        "rt_" + urlsafe_b64encode(bytes(79)).decode().rstrip("="),
        "x" * 65_536,
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidRefreshToken):
        RefreshToken.parse(text)


@given(st.text(alphabet="ABCabc019-_=+/. ", min_size=107, max_size=107))
def test_no_text_of_the_right_length_breaks_the_parser(body: str) -> None:
    try:
        token = RefreshToken.parse(f"rt_{body}")
    except InvalidRefreshToken:
        return
    assert RefreshToken.parse(token.text()) == token
