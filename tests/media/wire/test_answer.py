from collections.abc import Callable

import pytest
from aiortc.sdp import SessionDescription

from media.wire.answer import (
    PUBLISHER_FEEDBACK,
    VIEWER_FEEDBACK,
    AcceptedMedia,
    LocalTransport,
    SentTrack,
    setup_towards,
    write_answer,
    write_restart_fragment,
)
from media.wire.extensions import Extension
from media.wire.negotiate import published_tracks
from media.wire.offer import Direction, Fingerprint, IceCredentials, Setup, parse_offer

Text = Callable[[str], str]

TRANSPORT = LocalTransport(
    ice=IceCredentials("ourufrag", "ourpasswordourpassword"),
    fingerprint=Fingerprint("sha-256", bytes(range(32))),
    setup=Setup.PASSIVE,
    candidates=(("203.0.113.9", 7000), ("2001:db8::9", 7000)),
)


def answer_to_publisher(text: str) -> str:
    offer = parse_offer(text)
    accepted = {
        track.media.mid: AcceptedMedia(
            codecs=(track.codec,) if track.rtx is None else (track.codec, track.rtx),
            direction=Direction.RECVONLY,
            feedback=PUBLISHER_FEEDBACK,
        )
        for track in published_tracks(offer)
    }
    return write_answer(offer.media, accepted, TRANSPORT, session_id=9)


def test_the_answer_to_chromium(offer_text: Text) -> None:
    text = answer_to_publisher(offer_text("chromium_publish"))
    assert text.endswith("\r\n")
    assert text.startswith(
        "v=0\r\no=- 9 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
        "a=group:BUNDLE 0 1\r\na=msid-semantic:WMS *\r\nm=audio 7000 UDP/TLS/RTP/SAVPF 111\r\n"
    )
    video = text[text.index("m=video") :].split("\r\n")
    assert video == [
        "m=video 7000 UDP/TLS/RTP/SAVPF 102 103",
        "c=IN IP4 203.0.113.9",
        "a=mid:1",
        "a=ice-ufrag:ourufrag",
        "a=ice-pwd:ourpasswordourpassword",
        "a=candidate:1 1 udp 2130706431 203.0.113.9 7000 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::9 7000 typ host",
        "a=end-of-candidates",
        "a=fingerprint:sha-256 " + ":".join(f"{byte:02X}" for byte in range(32)),
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=recvonly",
        "a=rtpmap:102 H264/90000",
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
        "a=rtcp-fb:102 goog-remb",
        "a=rtcp-fb:102 ccm fir",
        "a=rtcp-fb:102 nack",
        "a=rtcp-fb:102 nack pli",
        "a=rtpmap:103 rtx/90000",
        "a=fmtp:103 apt=102",
        "",
    ]


@pytest.mark.parametrize("client", ["chromium", "ffmpeg", "obs", "gstreamer"])
def test_aiortc_reads_the_answer(offer_text: Text, client: str) -> None:
    text = offer_text(f"{client}_publish")
    offered = parse_offer(text).media
    description = SessionDescription.parse(answer_to_publisher(text))
    assert [media.kind for media in description.media] == [media.kind for media in offered]
    assert [media.rtp.muxId for media in description.media] == [media.mid for media in offered]
    assert all(media.ice.iceLite for media in description.media)


def test_what_is_not_taken_is_rejected_with_port_0(offer_text: Text) -> None:
    text = answer_to_publisher(offer_text("gstreamer_publish"))
    assert "a=group:BUNDLE video0 audio1\r\n" in text
    assert text[text.index("m=application") :] == (
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
        "c=IN IP4 0.0.0.0\r\na=mid:application2\r\na=inactive\r\n"
    )


def test_a_viewer_is_told_what_we_send(offer_text: Text) -> None:
    offer = parse_offer(offer_text("chromium_watch"))
    video = offer.media[0]
    accepted = AcceptedMedia(
        codecs=(video.codecs[0],),
        direction=Direction.SENDONLY,
        feedback=VIEWER_FEEDBACK,
        sent=SentTrack(ssrc=77, cname="name", stream_id="stream", track_id="picture"),
    )
    text = write_answer(offer.media, {video.mid: accepted}, TRANSPORT, session_id=9)
    assert "a=sendonly\r\n" in text
    assert "goog-remb" not in text
    assert "transport-cc" not in text
    assert "extmap" not in text
    assert "a=msid:stream picture\r\na=ssrc:77 cname:name\r\n" in text
    assert "m=audio 0 UDP/TLS/RTP/SAVPF 111" in text


def test_dtls_roles() -> None:
    assert {offered: setup_towards(offered) for offered in Setup} == {
        Setup.ACTPASS: Setup.PASSIVE,
        Setup.ACTIVE: Setup.PASSIVE,
        Setup.PASSIVE: Setup.ACTIVE,
    }


def test_the_fragment_of_a_restart() -> None:
    lines = write_restart_fragment("0", "audio", TRANSPORT).split("\r\n")
    assert lines[:4] == [
        "a=ice-lite",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "a=mid:0",
    ]
    assert "a=ice-ufrag:ourufrag" in lines
    assert "a=end-of-candidates" in lines


def test_retransmissions_have_an_ssrc_of_their_own(offer_text: Text) -> None:
    offer = parse_offer(offer_text("chromium_watch"))
    video = offer.media[0]
    accepted = AcceptedMedia(
        codecs=video.codecs[:2],
        direction=Direction.SENDONLY,
        feedback=VIEWER_FEEDBACK,
        sent=SentTrack(77, "name", "stream", "picture", rtx_ssrc=78),
    )
    text = write_answer(offer.media, {video.mid: accepted}, TRANSPORT, session_id=9)
    assert "a=fmtp:97 apt=96\r\n" in text
    assert [line for line in text.split("\r\n") if line.startswith("a=ssrc")] == [
        "a=ssrc-group:FID 77 78",
        "a=ssrc:77 cname:name",
        "a=ssrc:77 msid:stream picture",
        "a=ssrc:78 cname:name",
        "a=ssrc:78 msid:stream picture",
    ]
    [media] = [m for m in SessionDescription.parse(text).media if m.port]
    assert [(group.semantic, group.items) for group in media.ssrc_group] == [("FID", [77, 78])]


def test_extensions_are_agreed_to_by_their_lines(offer_text: Text) -> None:
    offer = parse_offer(offer_text("chromium_watch"))
    video = offer.media[0]
    agreed = tuple(
        each
        for each in video.extensions
        if each.extension in {Extension.VIDEO_ORIENTATION, Extension.MID}
    )
    accepted = AcceptedMedia(
        codecs=video.codecs[:1],
        direction=Direction.SENDONLY,
        feedback=frozenset(),
        extensions=agreed,
    )
    text = write_answer(offer.media, {video.mid: accepted}, TRANSPORT, session_id=9)
    assert [line for line in text.split("\r\n") if "extmap" in line] == [
        "a=extmap-allow-mixed",
        "a=extmap:3 urn:3gpp:video-orientation",
        "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid",
    ]
