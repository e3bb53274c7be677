from collections.abc import Callable

import pytest

from media.errors import InvalidSdp
from media.wire.offer import Codec, Direction, Setup, checked_credentials, parse_offer

Text = Callable[[str], str]
DIGEST = "3FF1F7E0BB2BDA3F56B17DD61E108CF2EB50D9AAA909A42E31D40BE55034F743"


def test_chromium(offer_text: Text) -> None:
    offer = parse_offer(offer_text("chromium_publish"))
    assert (offer.ice.ufrag, offer.ice.pwd) == ("IENI", "p7iJO73VSqQXLEglXhiO5bur")
    assert [(f.algorithm, f.digest.hex().upper()) for f in offer.fingerprints] == [
        ("sha-256", DIGEST)
    ]
    assert (offer.setup, offer.bundled) == (Setup.ACTPASS, ("0", "1"))
    audio, video = offer.media
    assert (audio.kind, audio.mid, audio.direction, audio.usable) == (
        "audio",
        "0",
        Direction.SENDONLY,
        True,
    )
    assert audio.codecs[0] == Codec(
        payload_type=111,
        encoding="opus",
        clock_rate=48_000,
        channels=2,
        fmtp="minptime=10;useinbandfec=1",
        feedback=("transport-cc",),
    )
    assert audio.ssrcs == (499854827,)
    assert video.ssrcs == (635583336,)
    assert video.rtx_ssrcs == ((635583336, 4157725113),)
    assert [codec.payload_type for codec in video.codecs[:3]] == [102, 103, 104]
    assert video.codecs[0].parameter("packetization-mode") == "1"
    assert video.codecs[0].parameter("apt") is None


def test_ffmpeg_insists_on_being_the_dtls_server(offer_text: Text) -> None:
    offer = parse_offer(offer_text("ffmpeg_publish"))
    assert offer.setup is Setup.PASSIVE
    assert [media.kind for media in offer.media] == ["audio", "video"]


def test_obs_writes_the_fingerprint_once_for_all(offer_text: Text) -> None:
    offer = parse_offer(offer_text("obs_publish"))
    assert offer.fingerprints[0].digest.hex().upper() == DIGEST
    assert offer.ice.ufrag == "5cCw"
    assert offer.bundled == ("0", "1")


def test_gstreamer_has_bundle_only_sections_and_data(offer_text: Text) -> None:
    video, audio, data = parse_offer(offer_text("gstreamer_publish")).media
    assert (video.usable, audio.usable, data.usable) == (True, True, False)
    assert audio.codecs[0].name == "opus"
    assert data.formats == ("webrtc-datachannel",)


def test_a_section_with_port_0_is_not_offered(offer_text: Text) -> None:
    text = offer_text("gstreamer_publish").replace("a=bundle-only\r\n", "")
    assert [media.usable for media in parse_offer(text).media] == [True, False, False]


def test_feedback_for_every_payload_type(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish").replace("a=rtcp-fb:106 nack", "a=rtcp-fb:* nack pli")
    video = parse_offer(text).media[1]
    assert [codec.feedback for codec in video.codecs] == [("nack pli",), ("nack pli",)]


def test_one_section_needs_no_bundle_and_no_mid(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish").replace("a=group:BUNDLE 0 1\r\n", "")
    with pytest.raises(InvalidSdp, match="BUNDLE"):
        parse_offer(text)
    single = text[: text.index("m=video")].replace("a=mid:0\r\n", "")
    offer = parse_offer(single)
    assert (offer.bundled, offer.media[0].mid) == ((), "0")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=ice-ufrag:656fd58d\r\n", ""),
        ("a=ice-pwd:", "a=ice-pwd:short\r\na=x:"),
        ("a=ice-ufrag:656fd58d", "a=ice-ufrag:a b c"),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ("BA:3A:42", "BA:3A"),
        ("BA:3A:42", "XX:3A:42"),
        ("a=setup:passive", "a=setup:holdconn"),
        ("a=rtcp-mux\r\n", ""),
        ("a=mid:1", "a=mid:0"),
        ("a=mid:1", "a=mid:" + "x" * 65),
        ("SAVPF 111", "SAVPF 128"),
        ("SAVPF 111", "SAVPF opus"),
        ("opus/48000/2", "opus"),
        ("opus/48000/2", "opus/x/2"),
        ("opus/48000/2", "opus/48000/999"),
        ("FID 1801347102 1801347103", "FID 1801347102 x"),
        ("a=ssrc:1801347101", "a=ssrc:99999999999"),
    ],
)
def test_what_makes_an_offer_unusable(offer_text: Text, old: str, new: str) -> None:
    text = offer_text("ffmpeg_publish")
    assert old in text
    with pytest.raises(InvalidSdp):
        parse_offer(text.replace(old, new))


def test_an_offer_without_sections(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish")
    with pytest.raises(InvalidSdp, match="no media sections"):
        parse_offer(text[: text.index("m=audio")])


def test_credentials_are_bounded() -> None:
    checked_credentials("a" * 256, "b" * 256)
    for ufrag, pwd in (("abc", "b" * 22), ("abcd", "b" * 21), ("a" * 257, "b" * 22)):
        with pytest.raises(InvalidSdp):
            checked_credentials(ufrag, pwd)
