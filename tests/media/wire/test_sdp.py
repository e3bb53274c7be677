from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import InvalidSdp
from media.wire.sdp import MAX_BYTES, MAX_LINES, MAX_SECTIONS, is_uint, parse_sdp
from media.wire.sdp import parse_sdp_fragment as parse_fragment

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def test_sections_and_attributes() -> None:
    text = HEAD + "a=ice-lite\r\na=x:1\r\nm=audio 9 RTP/AVP 0 8\r\na=x: 2 \r\na=x:3:4\r\n"
    sdp = parse_sdp(text)
    assert "ice-lite" in sdp.attributes
    assert sdp.attributes.first("ice-lite") == ""
    assert sdp.attributes.first("y") is None
    assert list(sdp.attributes.all("x")) == ["1"]
    (section,) = sdp.sections
    assert (section.kind, section.port, section.protocol) == ("audio", 9, "RTP/AVP")
    assert section.formats == ("0", "8")
    assert list(section.attributes.all("x")) == ["2", "3:4"]


def test_bare_line_feeds_are_read() -> None:
    assert parse_sdp("v=0\nm=audio 9 RTP/AVP 0\n").sections[0].kind == "audio"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "hello",
        "<html></html>",
        '{"sdp": "v=0"}',
        "v=1\r\n",
        "m=audio 9 RTP/AVP 0\r\nv=0\r\n",
        "v=0\r\nnonsense\r\n",
        "v=0\r\n\r\nt=0 0\r\n",
        "v=0\r\nm=audio\r\n",
        "v=0\r\nm=audio x RTP/AVP 0\r\n",
        "v=0\r\nm=audio 65536 RTP/AVP 0\r\n",
        "v=0\r\nm=audio 9 RTP/AVP\r\n",
        "v=0\r\na=x:\0\r\n",
        "v=0\r\na=x:1\ra=y:2\r\n",
        "v=0\r\na=x:\ud800\r\n",
        "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * (MAX_SECTIONS + 1),
        "v=0\r\n" + "a=x\r\n" * MAX_LINES,
        "v=0\r\na=x:" + "y" * MAX_BYTES,
        "v=0\r\na=x:" + "ü" * (MAX_BYTES // 2),
    ],
)
def test_what_is_no_sdp_is_refused(text: str) -> None:
    with pytest.raises(InvalidSdp):
        parse_sdp(text)


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_sdp, parse_fragment):
        for candidate in (text, HEAD + text):
            with suppress(InvalidSdp):
                parse(candidate)


def test_numbers() -> None:
    assert is_uint("0", 0)
    assert is_uint("4294967295", 0xFFFFFFFF)
    for wrong in ("", "-1", "+1", " 1", "1.0", "٣", "²", "4294967296", "9" * 5000):
        assert not is_uint(wrong, 0xFFFFFFFF)
