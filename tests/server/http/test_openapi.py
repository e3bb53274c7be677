"""The structure that OpenAPI 3.1 asks for; the content comes from the route table."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from server.http.openapi import openapi_document
from server.http.routes import API

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(API, "1.2.3")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_frame(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    assert document["info"]["version"] == "1.2.3"


def test_every_row_is_described_once(document: dict[str, Any]) -> None:
    described = list(operations(document))
    assert len(described) == len(API)
    assert {method for _, method, _ in described} <= METHODS
    ids = [operation["operationId"] for _, _, operation in described]
    assert len(set(ids)) == len(ids)
    assert [path for path, _, operation in described if not operation["summary"]] == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_path_parameters_are_those_of_the_path(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        named = [item["name"] for item in operation["parameters"] if item["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", path)
        assert all(item["schema"] for item in operation["parameters"])


def test_answers_bodies_and_bearers(document: dict[str, Any]) -> None:
    gift = document["paths"]["/api/streams/{stream_id}/gifts"]["post"]
    assert set(gift["responses"]) == {"200", "201", "default"}
    assert gift["security"] == [{"bearer": []}]
    body = gift["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][body.rsplit("/", 1)[1]]
    assert set(schema["required"]) == {"request_id", "gift_id", "count"}
    assert schema["additionalProperties"] is False

    publish = document["paths"]["/whip/{stream_id}"]["post"]
    assert set(publish["requestBody"]["content"]) == {"application/sdp"}
    assert set(publish["responses"]["201"]["content"]) == {"application/sdp"}
    assert "security" not in document["paths"]["/api/streams"]["get"]
    statement = document["paths"]["/api/me/statement"]["get"]
    assert [item["name"] for item in statement["parameters"]] == [
        "cursor",
        "limit",
        "account",
        "from",
        "to",
    ]


def test_instants_are_date_times(document: dict[str, Any]) -> None:
    user = document["components"]["schemas"]["UserShape"]
    assert user["properties"]["created_at"]["format"] == "date-time"
