import pytest

from media.transport.ice_secret import IceSecret

KEY = bytes(range(32))


def test_a_password_follows_from_key_and_fragment() -> None:
    one = IceSecret(KEY).credentials("0123456789abcdef")
    assert one == IceSecret(KEY).credentials("0123456789abcdef")  # another process, the same key
    assert one.ufrag == "0123456789abcdef"
    assert len(one.pwd) == 32  # RFC 8839 §5.4 takes 22 to 256 of ice-char
    assert one.pwd.isalnum()
    others = {
        IceSecret(KEY).credentials("0123456789abcdee").pwd,
        IceSecret(bytes(32)).credentials("0123456789abcdef").pwd,
    }
    assert one.pwd not in others
    assert len(others) == 2


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        IceSecret(b"short")
