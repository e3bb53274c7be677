from collections.abc import Callable

import pytest

from media.errors import NoCommonCodec, NoMedia
from media.wire.negotiate import (
    PublishedTrack,
    WatchedTrack,
    can_watch,
    compatible,
    published_tracks,
    watched_tracks,
)
from media.wire.offer import Codec, parse_offer

Text = Callable[[str], str]


def h264(payload_type: int, profile_level_id: str | None, mode: int | None = 1) -> Codec:
    fmtp = [f"packetization-mode={mode}"] if mode is not None else []
    fmtp += [f"profile-level-id={profile_level_id}"] if profile_level_id else []
    return Codec(payload_type, "H264", 90_000, fmtp=";".join(fmtp))


@pytest.mark.parametrize(
    ("client", "tracks"),
    [
        ("chromium_publish", [("audio", 111, None), ("video", 102, 103)]),
        ("ffmpeg_publish", [("audio", 111, None), ("video", 106, 105)]),
        ("obs_publish", [("audio", 111, None), ("video", 96, None)]),
        ("gstreamer_publish", [("video", 96, 97), ("audio", 98, None)]),
    ],
)
def test_publishers(
    offer_text: Text, client: str, tracks: list[tuple[str, int, int | None]]
) -> None:
    published = published_tracks(parse_offer(offer_text(client)))
    assert [
        (track.kind, track.codec.payload_type, track.rtx and track.rtx.payload_type)
        for track in published
    ] == tracks


def test_ssrcs_of_a_publisher(offer_text: Text) -> None:
    audio, video = published_tracks(parse_offer(offer_text("chromium_publish")))
    assert (audio.ssrc, audio.rtx_ssrc) == (499854827, None)
    assert (video.ssrc, video.rtx_ssrc) == (635583336, 4157725113)
    unannounced = offer_text("obs_publish").replace("a=ssrc:", "a=x:")
    assert published_tracks(parse_offer(unannounced))[1].ssrc is None


def test_a_viewer_gets_its_own_payload_types(offer_text: Text) -> None:
    published = published_tracks(parse_offer(offer_text("ffmpeg_publish")))
    watched = watched_tracks(parse_offer(offer_text("chromium_watch")), published)
    assert [(track.kind, track.codec.payload_type) for track in watched] == [
        ("video", 102),
        ("audio", 111),
    ]
    assert can_watch(watched, published)


def test_a_publisher_may_come_back_with_another_codec(offer_text: Text) -> None:
    published = published_tracks(parse_offer(offer_text("ffmpeg_publish")))
    watched = watched_tracks(parse_offer(offer_text("chromium_watch")), published)
    vp8 = offer_text("ffmpeg_publish").replace("H264/90000", "VP8/90000")
    assert not can_watch(watched, published_tracks(parse_offer(vp8)))
    assert can_watch(watched, published[:1])
    assert can_watch([WatchedTrack("audio", watched[1].media, watched[1].codec)], published)


def test_only_one_section_of_a_kind_is_taken(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish")
    second = text[text.index("m=video") :].replace("a=mid:1", "a=mid:2")
    text = text.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + second
    published = published_tracks(parse_offer(text))
    assert [track.media.mid for track in published] == ["0", "1"]


def test_sections_outside_the_bundle_are_not_taken(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish").replace("BUNDLE 0 1", "BUNDLE 1")
    assert [track.kind for track in published_tracks(parse_offer(text))] == ["video"]


def test_directions_decide(offer_text: Text) -> None:
    publisher = parse_offer(offer_text("ffmpeg_publish"))
    viewer = parse_offer(offer_text("chromium_watch"))
    with pytest.raises(NoMedia):
        published_tracks(viewer)
    with pytest.raises(NoMedia):
        watched_tracks(publisher, published_tracks(publisher))
    both_ways = offer_text("ffmpeg_publish").replace("a=sendonly\r\n", "")
    assert len(published_tracks(parse_offer(both_ways))) == 2


def test_no_common_codec(offer_text: Text) -> None:
    text = offer_text("ffmpeg_publish").replace("H264/", "H265/").replace("opus/", "speex/")
    with pytest.raises(NoCommonCodec):
        published_tracks(parse_offer(text))
    swapped = offer_text("ffmpeg_publish").replace("H264/90000", "opus/48000/2")
    assert [track.kind for track in published_tracks(parse_offer(swapped))] == ["audio"]
    published = published_tracks(parse_offer(offer_text("ffmpeg_publish")))
    poor = offer_text("chromium_watch").replace("H264/", "X264/").replace("opus/", "speex/")
    with pytest.raises(NoCommonCodec, match="H264 and OPUS"):
        watched_tracks(parse_offer(poor), published)


@pytest.mark.parametrize(
    ("sent", "offered", "expected"),
    [
        (h264(1, "42e01f"), [h264(10, "42001f"), h264(11, "42e01f")], 11),
        (h264(1, "42e01e"), [h264(10, "42001f"), h264(11, "42e01f")], 11),
        (h264(1, "640028"), [h264(10, "42e01f"), h264(11, "64001f")], 11),
        (h264(1, "64001f"), [h264(10, "4d001f"), h264(11, "42e01f")], 11),
        (h264(1, "64001f"), [h264(10, "4d001f")], 10),
        (h264(1, "42e01f"), [h264(10, "42e01f", mode=0)], None),
        (h264(1, "42e01f"), [h264(10, "42e01f", mode=None)], None),
        (h264(1, "42e01f", mode=0), [h264(10, "42e01f")], 10),
        (h264(1, None), [h264(10, None)], 10),
        (h264(1, "42E01F"), [h264(10, "42001f"), h264(11, "42e01f")], 11),
        (h264(1, "42e01f"), [Codec(10, "VP8", 90_000)], None),
        (h264(1, "42e01f"), [], None),
    ],
)
def test_the_nearest_h264(sent: Codec, offered: list[Codec], expected: int | None) -> None:
    found = compatible(sent, offered)
    assert (found and found.payload_type) == expected


def test_profiles_of_vp9_and_av1() -> None:
    offered = [
        Codec(10, "VP9", 90_000, fmtp="profile-id=2"),
        Codec(11, "VP9", 90_000),
        Codec(12, "AV1", 90_000, fmtp="level-idx=5;profile=0;tier=0"),
    ]
    assert compatible(Codec(1, "vp9", 90_000, fmtp="profile-id=0"), offered) == offered[1]
    assert compatible(Codec(1, "VP9", 90_000, fmtp="profile-id=2"), offered) == offered[0]
    assert compatible(Codec(1, "VP9", 90_000, fmtp="profile-id=1"), offered) is None
    assert compatible(Codec(1, "AV1", 90_000), offered) == offered[2]
    assert compatible(Codec(1, "AV1", 90_000, fmtp="profile=1"), offered) is None


def watched_by(offer_text: Text, viewer: str, **changes: str) -> dict[str, WatchedTrack]:
    """What a viewer of Chromium's stream gets by kind, its offer changed here and there."""
    published = published_tracks(parse_offer(offer_text("chromium_publish")))
    text = offer_text(viewer)
    for old, new in changes.items():
        text = text.replace(old, new)
    return {track.kind: track for track in watched_tracks(parse_offer(text), published)}


def names(track: PublishedTrack | WatchedTrack) -> list[str]:
    return [each.extension.name for each in track.extensions]


def test_what_a_publisher_says_about_pictures_and_sound_passes(offer_text: Text) -> None:
    audio, video = published_tracks(parse_offer(offer_text("chromium_publish")))
    assert names(audio) == ["AUDIO_LEVEL"]
    assert names(video) == [
        "VIDEO_ORIENTATION",
        "PLAYOUT_DELAY",
        "VIDEO_CONTENT_TYPE",
        "COLOR_SPACE",
    ]
    assert names(published_tracks(parse_offer(offer_text("obs_publish")))[0]) == []


def test_a_viewer_gets_what_both_know_and_its_mid(offer_text: Text) -> None:
    watched = watched_by(offer_text, "chromium_watch")
    assert names(watched["audio"]) == ["AUDIO_LEVEL", "MID"]
    assert names(watched["video"]) == [
        "VIDEO_ORIENTATION",
        "PLAYOUT_DELAY",
        "VIDEO_CONTENT_TYPE",
        "COLOR_SPACE",
        "MID",
    ]
    assert {each.id for each in watched["video"].extensions} == {3, 5, 6, 8, 9}


def test_who_does_not_take_both_forms_gets_what_fits_the_short_one(offer_text: Text) -> None:
    short = {"a=extmap-allow-mixed": "a=x", "a=extmap:5 ": "a=extmap:15 "}
    watched = watched_by(offer_text, "chromium_watch", **short)
    assert names(watched["video"]) == ["VIDEO_ORIENTATION", "VIDEO_CONTENT_TYPE", "MID"]


def test_what_a_viewer_would_only_send_is_not_written(offer_text: Text) -> None:
    watched = watched_by(offer_text, "chromium_watch", **{"a=extmap:3 ": "a=extmap:3/sendonly "})
    assert "VIDEO_ORIENTATION" not in names(watched["video"])


def test_a_mid_that_is_too_long_for_every_packet_is_left_out(offer_text: Text) -> None:
    mid = "m" * 33
    changes = {"a=mid:0": f"a=mid:{mid}", "BUNDLE 0": f"BUNDLE {mid}"}
    watched = watched_by(offer_text, "chromium_watch", **changes)
    assert "MID" not in names(watched["video"])


def stamped(offer_text: Text, **changes: str) -> dict[str, bool]:
    """By kind, whether a viewer is asked to report on each packet."""
    published = published_tracks(parse_offer(offer_text("chromium_publish")))
    text = offer_text("chromium_watch")
    for old, new in changes.items():
        text = text.replace(old, new)
    watched = watched_tracks(parse_offer(text), published, transport_cc=True)
    return {track.kind: track.reports_each_packet for track in watched}


def test_packets_are_numbered_for_who_reports_on_them(offer_text: Text) -> None:
    assert stamped(offer_text) == {"video": True, "audio": True}
    watched = watched_by(offer_text, "chromium_watch")
    assert not any(track.reports_each_packet for track in watched.values())
    assert not any(stamped(offer_text, **{"transport-cc": "x"}).values())


def test_what_may_be_sent_again_as_it_was_is_not_numbered(offer_text: Text) -> None:
    assert stamped(offer_text, **{"rtx/": "x/"}) == {"video": False, "audio": True}
    without = {"rtx/": "x/", " nack\r\n": " x\r\n"}
    assert stamped(offer_text, **without) == {"video": True, "audio": True}


def test_lost_packets_come_again_by_rtx_where_they_are_asked_for(offer_text: Text) -> None:
    watched = watched_by(offer_text, "chromium_watch")
    rtx = watched["video"].rtx
    assert rtx is not None
    assert rtx.parameter("apt") == str(watched["video"].codec.payload_type)
    assert watched["audio"].rtx is None
    assert watched_by(offer_text, "chromium_watch", **{"nack\r\n": "x\r\n"})["video"].rtx is None
