from typing import Any
from uuid import uuid4

from identity.roles import Role


async def test_stopping_needs_a_reason_and_a_stream(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await api.person(Role.STREAMER)
    stream, _ = await api.stream(streamer)
    path = f"/api/admin/streams/{stream.stream_id}/stop"
    assert (await api("POST", path, {"reason": "Copyright."}, by=admin)).status == 204
    for body in ({"reason": ""}, {"reason": "x" * 501}, {}, {"reason": None}):
        refused = await api("POST", path, body, by=admin)
        assert (refused.status, refused.code) == (422, "invalid_request")
    unknown = f"/api/admin/streams/{uuid4()}/stop"
    reply = await api("POST", unknown, {"reason": "Copyright."}, by=admin)
    assert (reply.status, reply.code) == (404, "unknown_stream")
