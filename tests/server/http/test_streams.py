import json
from typing import Any
from uuid import UUID, uuid4

from identity.roles import Role
from media.live import StreamState, StreamStats
from media.relay.stats import TrackStats
from server.http.streams import StreamStatsShape

STREAM_FIELDS = {"stream_id", "title", "state", "viewers", "started_at", "owner", "whep_url"}


async def test_a_streamer_makes_and_renames_streams(api: Any) -> None:
    streamer = await api.person(Role.STREAMER)
    made = await api("POST", "/api/me/streams", {"title": "Chess"}, by=streamer)
    assert made.status == 201
    assert set(made.json) == STREAM_FIELDS | {"stream_key", "whip_url"}
    stream_id = made.json["stream_id"]
    assert UUID(stream_id).version == 7
    assert made.json["stream_key"].startswith("sk_")
    assert made.json["whip_url"] == f"/whip/{stream_id}"
    assert made.json["whep_url"] == f"/whep/{stream_id}"

    path = f"/api/me/streams/{stream_id}"
    renamed = await api("PATCH", path, {"title": "Go"}, by=streamer)
    assert (renamed.status, renamed.json["title"]) == (200, "Go")
    shown = await api("GET", f"/api/streams/{stream_id}")
    assert shown.json == renamed.json
    assert shown.json | {"stream_id": "", "whep_url": ""} == {
        "stream_id": "",
        "title": "Go",
        "state": "offline",
        "viewers": 0,
        "started_at": None,
        "owner": {"user_id": str(streamer.user_id), "display_name": streamer.name},
        "whep_url": "",
    }
    owned = await api("GET", "/api/me/streams", by=streamer)
    assert owned.json == {"streams": [shown.json]}


async def test_a_new_key_replaces_the_old_one(api: Any) -> None:
    streamer = await api.person(Role.STREAMER)
    stream, old = await api.stream(streamer)
    reply = await api("POST", f"/api/me/streams/{stream.stream_id}/key", by=streamer)
    assert reply.status == 200
    verify = api.services.catalog.verify_key
    assert await verify(stream.stream_id, reply.json["stream_key"])
    assert not await verify(stream.stream_id, old)


async def test_bad_titles_are_refused(api: Any) -> None:
    streamer = await api.person(Role.STREAMER)
    for title in ("", " ", "x" * 121, "a\nb", "a\x00b", 5, None):
        reply = await api("POST", "/api/me/streams", {"title": title}, by=streamer)
        assert (reply.status, reply.code) == (422, "invalid_request"), title
        assert [error["field"] for error in reply.json["errors"]] == ["title"]


async def test_only_live_streams_are_listed_and_interrupted_ones_for_admins(api: Any) -> None:
    streamer, admin = await api.person(Role.STREAMER), await api.person(Role.ADMIN)
    live, interrupted, _ = [(await api.stream(streamer, title))[0] for title in "abc"]
    for stream in (live, interrupted):
        await api.services.catalog.mark_live(stream.stream_id)
    await api.services.catalog.mark_interrupted(interrupted.stream_id)

    def states(reply: Any) -> dict[str, str]:
        own = [
            stream
            for stream in reply.json["streams"]
            if stream["owner"]["user_id"] == str(streamer.user_id)
        ]
        assert all(stream["started_at"].endswith("Z") for stream in own)
        return {stream["title"]: stream["state"] for stream in own}

    assert states(await api("GET", "/api/streams")) == {"a": "live"}
    seen = await api("GET", "/api/admin/streams", by=admin)
    assert states(seen) == {"a": "live", "b": "interrupted"}


async def test_a_stranger_s_stream_is_not_mine(api: Any) -> None:
    owner, other = await api.person(Role.STREAMER), await api.person(Role.STREAMER)
    stream, _ = await api.stream(owner)
    path = f"/api/me/streams/{stream.stream_id}"
    for method, suffix, body in (
        ("PATCH", "", {"title": "Mine"}),
        ("POST", "/key", None),
        ("POST", "/stop", None),
        ("GET", "/stats", None),
    ):
        reply = await api(method, path + suffix, body, by=other)
        assert (reply.status, reply.code) == (403, "forbidden")
    unknown = await api("GET", f"/api/me/streams/{uuid4()}/stats", by=other)
    assert (unknown.status, unknown.code) == (404, "unknown_stream")


async def test_a_bad_id_is_found_nowhere(api: Any) -> None:
    for stream_id in ("1", "no-uuid", "%27%3B", "00000000-0000-0000-0000-00000000000"):
        reply = await api("GET", f"/api/streams/{stream_id}")
        assert (reply.status, reply.code) == (404, "not_found"), stream_id


async def test_stopping_and_stats_of_what_is_not_live(api: Any) -> None:
    streamer = await api.person(Role.STREAMER)
    stream, _ = await api.stream(streamer)
    path = f"/api/me/streams/{stream.stream_id}"
    assert (await api("POST", f"{path}/stop", by=streamer)).status == 204
    stats = await api("GET", f"{path}/stats", by=streamer)
    assert stats.json == {
        "state": "offline",
        "viewers": 0,
        "uptime_s": 0.0,
        "tracks": [],
        "packets_forwarded": 0,
        "packets_dropped": 0,
        "packets_resent": 0,
        "keyframe_requests": 0,
    }


def test_the_figures_of_a_live_stream_in_the_protocol_s_words() -> None:
    counted = StreamStats(
        state=StreamState.LIVE,
        viewers=2,
        uptime_s=61.2,
        tracks=(
            TrackStats("video", "h264", 2_500_000, 100, 1),
            TrackStats("audio", "opus", 64_000, 50, 0),
        ),
        packets_forwarded=123,
        packets_dropped=0,
        packets_resent=4,
        keyframe_requests=2,
    )
    shape = StreamStatsShape.model_validate(counted)
    assert json.loads(shape.model_dump_json()) == {
        "state": "live",
        "viewers": 2,
        "uptime_s": 61.2,
        "tracks": [
            {
                "kind": "video",
                "codec": "H264",
                "bitrate_bps": 2_500_000,
                "packets": 100,
                "lost": 1,
            },
            {"kind": "audio", "codec": "Opus", "bitrate_bps": 64_000, "packets": 50, "lost": 0},
        ],
        "packets_forwarded": 123,
        "packets_dropped": 0,
        "packets_resent": 4,
        "keyframe_requests": 2,
    }
