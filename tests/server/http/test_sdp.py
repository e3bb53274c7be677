from uuid import UUID

from media.negotiation import Patched
from media.worker import Accepted
from server.http.sdp import accepted_response, patched_response

STREAM = UUID("01890000-0000-7000-8000-000000000001")


def test_a_session_has_an_address_an_etag_and_an_answer() -> None:
    response = accepted_response("whep", STREAM, Accepted("abc", "v=0\r\n", '"tag"'))
    assert (response.status, response.content_type, response.body) == (
        201,
        "application/sdp",
        b"v=0\r\n",
    )
    assert response.headers["Location"] == f"/whep/{STREAM}/abc"
    assert response.headers["ETag"] == '"tag"'


def test_candidates_give_204_and_a_restart_200() -> None:
    assert patched_response(Patched(204, '"tag"')).status == 204
    restarted = patched_response(Patched(200, '"new"', "a=ice-ufrag:x\r\n"))
    assert (restarted.status, restarted.headers["ETag"]) == (200, '"new"')
    assert restarted.content_type == "application/trickle-ice-sdpfrag"
