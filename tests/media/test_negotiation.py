from collections.abc import Callable

import pytest

from media.errors import InvalidSdp, PreconditionFailed, PreconditionRequired
from media.negotiation import track_spec
from media.relay.tracks import TrackSpec
from media.session import Role
from media.wire.extensions import Extension
from media.wire.offer import IceCredentials, Setup
from tests.support.media_stage import STREAM, Stage

FRESH = "a=ice-ufrag:freshufrag\r\na=ice-pwd:freshpasswordfreshpassword\r\n"
CANDIDATE = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_publisher(stage: Stage) -> None:
    negotiated = stage.negotiator.publisher(STREAM, stage.offer("sendonly"), 5.0)
    session = negotiated.session
    assert (session.role, session.stream_id, session.created_at) == (Role.PUBLISHER, STREAM, 5.0)
    assert len(session.session_id) == 32
    assert [track_spec(track) for track in session.published] == [
        TrackSpec("audio", "opus", 111, 1412367218, None, None, 48_000, "0"),
        TrackSpec("video", "h264", 96, 1412367219, None, None, 90_000, "1"),
    ]
    answer = negotiated.answer
    assert answer.count("a=recvonly\r\n") == 2
    assert f"a=ice-ufrag:{session.ice.credentials.ufrag}\r\n" in answer
    assert "a=candidate:1 1 udp 2130706431 127.0.0.1 7000 typ host\r\n" in answer
    assert stage.server.fingerprint.digest.hex(":").upper() in answer


def test_a_viewer_is_promised_ssrcs_of_its_own(stage: Stage) -> None:
    published = stage.negotiator.publisher(STREAM, stage.offer("sendonly"), 5.0).session.published
    sessions = set()
    for _ in range(3):
        negotiated = stage.negotiator.viewer(
            STREAM, stage.offer("recvonly"), published, "cname", 5.0
        )
        audio, video = negotiated.session.sent
        assert (audio.kind, audio.payload_type) == ("audio", 111)
        assert (video.kind, video.payload_type) == ("video", 96)
        assert f"a=ssrc:{video.ssrc} cname:cname\r\n" in negotiated.answer
        assert negotiated.answer.count("a=sendonly\r\n") == 2
        sessions.add((negotiated.session.session_id, audio.ssrc, video.ssrc))
    assert len({value for session in sessions for value in session}) == 9


def test_only_towards_a_passive_peer_we_are_active(stage: Stage) -> None:
    passive = stage.offer("sendonly").replace("a=setup:actpass", "a=setup:passive")
    negotiated = stage.negotiator.publisher(STREAM, passive, 5.0)
    assert negotiated.session.setup is Setup.ACTIVE
    assert negotiated.answer.count("a=setup:active\r\n") == 2
    assert negotiated.session.dtls.start() != []


@pytest.mark.parametrize(
    ("fragment", "if_match", "refusal"),
    [
        (CANDIDATE, None, PreconditionRequired),
        (FRESH, None, PreconditionRequired),
        (CANDIDATE, '"other"', PreconditionFailed),
        (CANDIDATE, "", PreconditionFailed),
        (CANDIDATE, 'W/"ETAG"', PreconditionFailed),
        (FRESH, '"ETAG"', PreconditionFailed),
        ("a=ice-ufrag:alone\r\n", "*", InvalidSdp),
        ("hello", "*", InvalidSdp),
    ],
)
def test_patches_that_are_refused(
    stage: Stage, fragment: str, if_match: str | None, refusal: type[Exception]
) -> None:
    session = stage.publisher(4000).session
    before = session.etag
    if if_match is not None:
        if_match = if_match.replace('"ETAG"', session.etag)
    with pytest.raises(refusal):
        stage.negotiator.patch(session, fragment, if_match)
    assert session.etag == before


def test_candidates_are_taken_and_not_needed(stage: Stage) -> None:
    session = stage.publisher(4000).session
    same = f"a=ice-ufrag:{session.remote_ice.ufrag}\r\na=ice-pwd:{session.remote_ice.pwd}\r\n"
    for fragment in (CANDIDATE, same + CANDIDATE):
        for if_match in (session.etag, "*", f'"other", {session.etag}'):
            patched = stage.negotiator.patch(session, fragment, if_match)
            assert (patched.status, patched.etag, patched.body) == (204, session.etag, None)


def test_a_restart_changes_the_credentials_once(stage: Stage) -> None:
    session = stage.publisher(4000).session
    before = session.etag
    patched = stage.negotiator.patch(session, FRESH, "*")
    assert (patched.status, patched.etag) == (200, session.etag)
    assert patched.etag != before
    assert patched.body is not None
    assert f"a=ice-ufrag:{session.ice.credentials.ufrag}\r\n" in patched.body
    assert session.remote_ice == IceCredentials("freshufrag", "freshpasswordfreshpassword")
    assert stage.negotiator.patch(session, FRESH, "*").status == 204
    assert session.etag == patched.etag


def test_a_browser_gets_rtx_and_extensions_under_its_own_ids(
    stage: Stage, offer_text: Callable[[str], str]
) -> None:
    published = stage.negotiator.publisher(STREAM, offer_text("chromium_publish"), 5.0).session
    specs = {spec.kind: spec for spec in map(track_spec, published.published)}
    assert specs["video"].extensions == (
        (13, Extension.VIDEO_ORIENTATION),
        (5, Extension.PLAYOUT_DELAY),
        (6, Extension.VIDEO_CONTENT_TYPE),
        (8, Extension.COLOR_SPACE),
    )
    negotiated = stage.negotiator.viewer(
        STREAM, offer_text("chromium_watch"), published.published, "cname", 5.0
    )
    tracks = {track.kind: track for track in negotiated.session.sent}
    video, audio = tracks["video"], tracks["audio"]
    assert (video.payload_type, video.rtx_payload_type) == (102, 103)
    assert len({video.ssrc, video.rtx_ssrc, audio.ssrc}) == 3
    assert (audio.rtx_payload_type, audio.rtx_ssrc) == (None, None)
    assert dict(video.extensions)[Extension.VIDEO_ORIENTATION] == 3
    assert (video.mid, audio.mid) == ("0", "1")
    assert f"a=ssrc-group:FID {video.ssrc} {video.rtx_ssrc}\r\n" in negotiated.answer
    assert "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" in negotiated.answer
    assert "transport-wide-cc" not in negotiated.answer
