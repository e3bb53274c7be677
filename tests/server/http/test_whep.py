from collections.abc import Callable
from typing import Any
from uuid import uuid4

from identity.roles import Role

SDP = {"Content-Type": "application/sdp"}

Offer = Callable[..., str]


async def test_what_is_not_live_can_t_be_watched(api: Any, offer: Offer) -> None:
    streamer = await api.person(Role.STREAMER)
    stream, _ = await api.stream(streamer)
    path = f"/whep/{stream.stream_id}"
    offline = await api("POST", path, data=offer("recvonly"), headers=SDP)
    assert (offline.status, offline.code) == (404, "stream_offline")
    assert int(offline.headers["Retry-After"]) >= 1
    unknown = await api("POST", f"/whep/{uuid4()}", data=offer("recvonly"), headers=SDP)
    assert (unknown.status, unknown.code) == (404, "unknown_stream")
    no_id = await api("POST", "/whep/no-uuid", data=offer("recvonly"), headers=SDP)
    assert (no_id.status, no_id.code) == (404, "not_found")
    # A stale token does no harm where none is needed.
    stale = await api("POST", path, data=offer("recvonly"), headers=SDP, by="stale")
    assert stale.code == "stream_offline"


async def test_a_whep_address_reaches_no_publisher(api: Any, offer: Offer) -> None:
    streamer = await api.person(Role.STREAMER)
    stream, key = await api.stream(streamer)
    made = await api("POST", f"/whip/{stream.stream_id}", data=offer(), headers=SDP, by=key)
    forged = made.headers["Location"].replace("/whip/", "/whep/")
    ended = await api("DELETE", forged)
    assert (ended.status, ended.code) == (404, "unknown_session")
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
    patched = await api("PATCH", forged, data="a=ice-ufrag:abcd\r\n", headers=fragment)
    assert (patched.status, patched.code) == (404, "unknown_session")
    assert (await api("DELETE", made.headers["Location"], by=key)).status == 200


async def test_methods_options_and_other_origins(api: Any) -> None:
    path = f"/whep/{uuid4()}"
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        reply = await api(method, path)
        assert reply.status == 405
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    for method in ("GET", "HEAD", "PUT", "POST"):
        assert (await api(method, f"{path}/session")).status == 405
    options = await api("OPTIONS", path)
    assert (options.status, options.headers["Accept-Post"]) == (204, "application/sdp")
    exposed = set(options.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"Location", "ETag", "Link", "Accept-Post", "Accept-Patch", "Retry-After"}
