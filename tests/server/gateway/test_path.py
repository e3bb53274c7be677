from uuid import UUID

import pytest
from aiohttp.test_utils import make_mocked_request

from server.gateway.path import path_text, path_uuid
from server.gateway.refusals import NotFound

STREAM = "01890000-0000-7000-8000-000000000001"


def test_a_uuid_is_read() -> None:
    request = make_mocked_request("GET", "/", match_info={"stream_id": STREAM})
    assert path_uuid(request, "stream_id") == UUID(STREAM)


@pytest.mark.parametrize("text", ["", "1", "..", STREAM[:-1], f"{STREAM}0", "'; drop table"])
def test_nothing_lives_under_what_is_no_uuid(text: str) -> None:
    request = make_mocked_request("GET", "/", match_info={"stream_id": text})
    with pytest.raises(NotFound, match="stream_id"):
        path_uuid(request, "stream_id")


def test_text_is_read_but_no_nul() -> None:
    request = make_mocked_request("GET", "/", match_info={"name": "aml", "other": "a\x00b"})
    assert path_text(request, "name") == "aml"
    with pytest.raises(NotFound, match="other"):
        path_text(request, "other")
