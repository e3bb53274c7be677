from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from identity.roles import Role

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATES = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
)
RESTART = CANDIDATES.replace("abcd", "wxyz")

Offer = Callable[..., str]


async def streaming(api: Any) -> tuple[Any, str, str]:
    """A streamer, the WHIP address of their stream, and its key."""
    streamer = await api.person(Role.STREAMER)
    stream, key = await api.stream(streamer)
    return streamer, f"/whip/{stream.stream_id}", key


async def test_a_session_from_offer_to_delete(api: Any, offer: Offer) -> None:
    _, path, key = await streaming(api)
    made = await api("POST", path, data=offer(), headers=SDP, by=key)
    assert made.status == 201
    assert made.headers["Content-Type"] == "application/sdp"
    assert made.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert made.text.startswith("v=0")
    etag, session = made.headers["ETag"], made.headers["Location"]
    assert etag[0] == etag[-1] == '"'
    assert session.startswith(f"{path}/")

    match = {**FRAGMENT, "If-Match": etag}
    trickled = await api("PATCH", session, data=CANDIDATES, headers=match, by=key)
    assert trickled.status == 204
    restart = {**FRAGMENT, "If-Match": "*"}
    restarted = await api("PATCH", session, data=RESTART, headers=restart, by=key)
    assert restarted.status == 200
    assert "a=ice-ufrag:" in restarted.text
    assert restarted.headers["ETag"] != etag
    assert restarted.headers["Content-Type"] == FRAGMENT["Content-Type"]

    stale = await api("PATCH", session, data=CANDIDATES, headers=match, by=key)
    assert (stale.status, stale.code) == (412, "precondition_failed")
    missing = await api("PATCH", session, data=CANDIDATES, headers=FRAGMENT, by=key)
    assert (missing.status, missing.code) == (428, "precondition_required")

    assert (await api("DELETE", session, by=key)).status == 200
    gone = await api("DELETE", session, by=key)
    assert (gone.status, gone.code) == (404, "unknown_session")


async def test_the_owner_s_token_is_as_good_as_the_key(api: Any, offer: Offer) -> None:
    streamer, path, _ = await streaming(api)
    made = await api("POST", path, data=offer(), headers=SDP, by=streamer)
    assert made.status == 201
    assert (await api("DELETE", made.headers["Location"], by=streamer)).status == 200


async def test_who_may_not_publish(api: Any, offer: Offer) -> None:
    _, path, key = await streaming(api)
    stranger, other_path, other_key = await streaming(api)
    viewer = await api.person()
    for where, bearer, status, code in (
        (path, None, 401, "unauthenticated"),
        (path, "sk_wrong", 401, "invalid_token"),
        (path, key[:-1], 401, "invalid_token"),
        (path, other_key, 401, "invalid_token"),
        (path, "nonsense", 401, "invalid_token"),
        (path, stranger, 403, "forbidden"),
        (path, viewer, 403, "forbidden"),
        (f"/whip/{uuid4()}", key, 404, "unknown_stream"),
        ("/whip/no-uuid", key, 404, "not_found"),
    ):
        reply = await api("POST", where, data=offer(), headers=SDP, by=bearer)
        assert (reply.status, reply.code) == (status, code), (where, bearer)
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)
    made = await api("POST", other_path, data=offer(), headers=SDP, by=other_key)
    stolen = await api("DELETE", made.headers["Location"], by=key)
    assert (stolen.status, stolen.code) == (401, "invalid_token")
    # Nor does a key open the session of another stream under its own address.
    elsewhere = made.headers["Location"].replace(other_path, path)
    assert (await api("DELETE", elsewhere, by=key)).code == "unknown_session"


@pytest.mark.parametrize("by_key", [True, False])
async def test_a_key_is_no_better_than_its_owner(by_key: bool, api: Any, offer: Offer) -> None:
    streamer, path, key = await streaming(api)
    bearer = key if by_key else streamer
    await api.services.identity.set_roles(streamer.user_id, {Role.VIEWER})
    demoted = await api("POST", path, data=offer(), headers=SDP, by=bearer)
    assert demoted.status == (403 if by_key else 401)
    await api.services.identity.suspend(streamer.user_id)
    suspended = await api("POST", path, data=offer(), headers=SDP, by=bearer)
    assert (suspended.status, suspended.code) == (
        (403, "suspended") if by_key else (401, "invalid_token")
    )


async def test_bad_offers(api: Any, offer: Offer) -> None:
    _, path, key = await streaming(api)
    for body, headers, status, code in (
        ("nonsense", SDP, 400, "invalid_sdp"),
        ("", SDP, 400, "invalid_sdp"),
        (offer("recvonly"), SDP, 406, "no_media"),
        (offer().replace("VP8", "VP1").replace("opus", "tune"), SDP, 406, "no_common_codec"),
        (offer(), {"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        (offer() + "a=x\r\n" * 20_000, SDP, 413, "too_large"),
    ):
        reply = await api("POST", path, data=body.encode(), headers=headers, by=key)
        assert (reply.status, reply.code) == (status, code), body[:40]
    binary = await api("POST", path, data=b"v=0\xff\xfe", headers=SDP, by=key)
    assert binary.status == 400


async def test_a_second_publisher_is_refused(api: Any, offer: Offer) -> None:
    _, path, key = await streaming(api)
    await api("POST", path, data=offer(), headers=SDP, by=key)
    second = await api("POST", path, data=offer(), headers=SDP, by=key)
    assert (second.status, second.code) == (409, "stream_busy")


async def test_methods_and_options(api: Any) -> None:
    # RFC 9725 §4.1: other methods of the endpoint are answered with 405.
    _, path, key = await streaming(api)
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        assert (await api(method, path, by=key)).status == 405
    for method in ("GET", "HEAD", "PUT", "POST"):
        assert (await api(method, f"{path}/session", by=key)).status == 405
    options = await api("OPTIONS", path)
    assert (options.status, options.headers["Accept-Post"]) == (204, "application/sdp")
    options = await api("OPTIONS", f"{path}/session")
    assert (options.status, options.headers["Accept-Patch"]) == (204, FRAGMENT["Content-Type"])


async def test_pages_of_any_origin_may_publish(api: Any, offer: Offer) -> None:
    _, path, key = await streaming(api)
    origin = {"Origin": "https://encoder.example"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    for where in (path, f"{path}/session"):
        preflight = await api("OPTIONS", where, headers=asked)
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        methods = set(preflight.headers["Access-Control-Allow-Methods"].split(", "))
        assert methods >= {"POST", "PATCH", "DELETE"}
        headers = set(preflight.headers["Access-Control-Allow-Headers"].lower().split(", "))
        assert headers >= {"authorization", "content-type", "if-match"}
    made = await api("POST", path, data=offer(), headers={**SDP, **origin}, by=key)
    assert made.headers["Access-Control-Allow-Origin"] == "*"
    refused = await api("POST", path, data=offer(), headers={**SDP, **origin})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_an_admin_and_the_owner_stop_a_stream(api: Any, offer: Offer) -> None:
    streamer, path, key = await streaming(api)
    admin = await api.person(Role.ADMIN)
    stream_id = path.removeprefix("/whip/")
    for stop, by, body in (
        (f"/api/me/streams/{stream_id}/stop", streamer, None),
        (f"/api/admin/streams/{stream_id}/stop", admin, {"reason": "Copyright."}),
    ):
        made = await api("POST", path, data=offer(), headers=SDP, by=key)
        assert made.status == 201
        assert (await api("POST", stop, body, by=by)).status == 204
        gone = await api("DELETE", made.headers["Location"], by=key)
        assert gone.code == "unknown_session"
