from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from media.feeds import Feed, FeedKeys, Link, feed_tracks, viewer_tracks
from media.negotiation import track_spec
from media.wire.extensions import PASSED
from media.wire.negotiate import published_tracks
from media.wire.offer import parse_offer
from tests.support.media_stage import Stage

PUBLISHED = published_tracks(parse_offer(Stage().offer("sendonly")))


def test_what_one_end_protects_the_other_reads() -> None:
    keys = FeedKeys.fresh()
    origin, edge = keys.at_origin(), keys.at_edge()
    assert (origin.local, origin.remote) == (edge.remote, edge.local)
    assert origin.local != origin.remote
    assert origin.profile is edge.profile
    assert keys != FeedKeys.fresh()
    assert keys.origin not in repr(keys)
    assert keys.edge not in repr(Link(1, ("127.0.0.1", 7000), keys))


@pytest.mark.parametrize(
    "wrong",
    [{"profile": "AES"}, {"origin": "no hex"}, {"edge": "00"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_keys_of_another_kind_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        replace(FeedKeys.fresh(), **wrong).at_origin()  # type: ignore[arg-type]


def test_the_tracks_are_the_publisher_s_under_other_ssrcs() -> None:
    tracks = feed_tracks(PUBLISHED)
    for track, published in zip(tracks, PUBLISHED, strict=True):
        spec = track_spec(published)
        assert track == replace(spec, ssrc=track.ssrc, rtx_payload_type=None, rtx_ssrc=None)
        assert track.ssrc not in (None, 0, spec.ssrc)
    assert len({track.ssrc for track in tracks}) == len(tracks)
    sent = viewer_tracks(tracks)
    assert [each.ssrc for each in sent] == [each.ssrc for each in tracks]
    assert [each.payload_type for each in sent] == [each.payload_type for each in tracks]
    for each, track in zip(sent, tracks, strict=True):
        assert [(number, name) for name, number in each.extensions] == list(track.extensions)
        assert all(name in PASSED for name, _ in each.extensions)
        assert each.rtx_ssrc is None


def test_a_feed_survives_json() -> None:
    adapter = TypeAdapter(Feed)
    feed = Feed(PUBLISHED, feed_tracks(PUBLISHED), "cname")
    assert adapter.validate_json(adapter.dump_json(feed)) == feed


@pytest.mark.parametrize("number", [0, 1, 0xFFFF_FFFE, 0xFFFF_FFFF, 2**63 - 1])
def test_each_feed_has_a_source_of_its_own_for_feedback(number: int) -> None:
    ssrc = Link(number, ("127.0.0.1", 7000), FeedKeys.fresh()).feedback_ssrc
    assert 0 < ssrc <= 0xFFFF_FFFF
    assert ssrc != Link(number + 1, ("127.0.0.1", 7000), FeedKeys.fresh()).feedback_ssrc
