import pytest

from media.errors import InvalidSdp
from media.wire.offer import IceCredentials
from media.wire.sdp import MAX_SECTIONS
from media.wire.sdpfrag import parse_credentials

# RFC 9725 §4.3.3, its example of a restart.
RESTART = (
    "a=ice-options:trickle ice2\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "a=mid:0\r\n"
    "a=ice-ufrag:ysXw\r\n"
    "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
)


def test_credentials_of_a_section_or_of_the_session() -> None:
    expected = IceCredentials("ysXw", "vw5LmwG4y/e6dPP/zAP9Gp5k")
    assert parse_credentials(RESTART) == expected
    assert (
        parse_credentials(f"a=ice-ufrag:{expected.ufrag}\na=ice-pwd:{expected.pwd}\n") == expected
    )


def test_candidates_alone() -> None:
    assert parse_credentials("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "a=ice-ufrag:ysXw\r\n",
        "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n",
        "m=audio 9 RTP/AVP 0\r\n" * (MAX_SECTIONS + 1),
        "a=" + "x" * 70_000,
    ],
)
def test_what_is_no_fragment(text: str) -> None:
    with pytest.raises(InvalidSdp):
        parse_credentials(text)
