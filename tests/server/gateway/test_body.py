from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from config.http import HttpSettings
from server.gateway.body import (
    JSON,
    MAX_FIELD_CHARS,
    MAX_FIELD_ERRORS,
    Body,
    Query,
    check_media_type,
    check_size,
    parse_body,
    parse_query,
)
from server.gateway.refusals import InvalidJson, InvalidRequest, TooLarge, UnsupportedMediaType


class Gift(Body):
    request_id: UUID
    gift_id: str
    count: int


class Listing(Query):
    limit: int = 50
    query: str | None = None


def request(path: str = "/", method: str = "POST", **headers: str) -> web.Request:
    given = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return make_mocked_request(method, path, headers=given)


def fields_of(body: bytes) -> list[str]:
    with pytest.raises(InvalidRequest) as refused:
        parse_body(Gift, body)
    return [error.field for error in refused.value.errors]


def test_a_good_body_is_parsed() -> None:
    key = uuid4()
    body = f'{{"request_id": "{key}", "gift_id": "rose", "count": 2}}'.encode()
    assert parse_body(Gift, body) == Gift(request_id=key, gift_id="rose", count=2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"nonsense",
        b'{"gift_id": "\xff\xfe"}',
        b'{"gift_id": "\\ud800"}',
        b"[" * 100_000,
        b'{"count": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse_body(Gift, body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"12", b"{}"])
def test_json_that_is_no_such_object_is_refused(body: bytes) -> None:
    assert fields_of(body)


@pytest.mark.parametrize("count", ['"2"', "2.5", "2.0", "true", "null", "1e400"])
def test_types_are_strict(count: str) -> None:
    body = f'{{"request_id": "{uuid4()}", "gift_id": "rose", "count": {count}}}'
    assert fields_of(body.encode()) == ["count"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("request_id", '"no-uuid"'), ("request_id", "17"), ("gift_id", "5"), ("more", "1")],
)
def test_the_field_at_fault_is_named(name: str, value: str) -> None:
    fields = {"request_id": f'"{uuid4()}"', "gift_id": '"rose"', "count": "1", name: value}
    text = ", ".join(f'"{key}": {item}' for key, item in fields.items())
    assert fields_of(f"{{{text}}}".encode()) == [name]


def test_nul_is_refused() -> None:
    body = f'{{"request_id": "{uuid4()}", "gift_id": "a\\u0000b", "count": 1}}'
    assert fields_of(body.encode()) == ["gift_id"]


def test_what_is_said_of_a_hostile_body_is_bounded() -> None:
    unknown = ", ".join(f'"{"x" * 500}{index}": 1' for index in range(100))
    fields = fields_of(f"{{{unknown}}}".encode())
    assert len(fields) == MAX_FIELD_ERRORS
    assert max(map(len, fields)) == MAX_FIELD_CHARS


def test_values_are_never_repeated() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_body(Gift, b'{"request_id": "hunter2", "gift_id": ["hunter2"], "count": "hunter2"}')
    assert "hunter2" not in repr(refused.value.errors)


def test_a_query_is_parsed_leniently() -> None:
    assert parse_query(Listing, request("/?limit=7&query=an")) == Listing(limit=7, query="an")


@pytest.mark.parametrize("query", ["limit=x", "limit=", "other=1", "query=%00"])
def test_a_bad_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_query(Listing, request(f"/?{query}"))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"],
)
def test_json_is_taken(content_type: str) -> None:
    check_media_type(request(Content_Type=content_type), JSON)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "application/json; charset=utf-16"},
        {"Content_Type": "application/json", "Content_Encoding": "gzip"},
    ],
)
def test_other_formats_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType):
        check_media_type(request(**headers), JSON)


def test_an_announced_size_is_checked() -> None:
    settings = HttpSettings(max_body_bytes=2048)
    check_size(request(Content_Length="2048"), settings)
    check_size(request(), settings)
    with pytest.raises(TooLarge, match="2048"):
        check_size(request(Content_Length="2049"), settings)
