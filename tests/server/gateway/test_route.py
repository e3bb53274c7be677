from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import make_mocked_request

from server.gateway.access import ANYONE
from server.gateway.body import Body, Query
from server.gateway.limits import RateClass
from server.gateway.refusals import NotFound
from server.gateway.route import Answer, Call, Route

STREAM = "01890000-0000-7000-8000-000000000001"


class Title(Body):
    title: str


class Listing(Query):
    limit: int = 5


def call(**fields: Any) -> Call:
    request = make_mocked_request("GET", "/", match_info={"stream_id": STREAM, "other": "x"})
    return Call(request, None, None, None, **fields)  # type: ignore[arg-type]


def test_a_handler_reads_what_its_route_takes() -> None:
    given = call(body=Title(title="Chess"), query=Listing())
    assert given.read(Title).title == "Chess"
    assert given.read(Listing).limit == 5
    with pytest.raises(LookupError, match="Listing"):
        call(body=Title(title="Chess")).read(Listing)


def test_ids_are_read_from_the_path() -> None:
    assert call().uuid("stream_id") == UUID(STREAM)
    with pytest.raises(NotFound):
        call().uuid("other")


def test_without_a_sign_in_there_is_no_principal() -> None:
    with pytest.raises(LookupError, match="signs nobody in"):
        _ = call().principal


def test_a_route_is_summed_up_by_its_handler() -> None:
    async def handler(_: Call) -> Answer:
        """Do it.

        At length.
        """
        return Answer()

    route = Route("GET", "/", handler, ANYONE, RateClass.READ, gives={200: None})
    assert route.summary == "Do it."
