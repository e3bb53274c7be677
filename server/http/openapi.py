"""The OpenAPI 3.1 document, made from the route table and the models that it names."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from server.gateway.body import JSON, Query
from server.gateway.errors import Problem
from server.gateway.route import Given, Route, Text

Json = dict[str, Any]

SCHEMA_REF: Final = "#/components/schemas/{model}"
PROBLEM_REF: Final = "#/components/responses/Problem"
BEARER: Final = "bearer"
NO_UUID: Final = {"session_id", "consumer", "letter_id"}
"""Path parameters that their makers gave forms of their own: the media plane, and Redis."""
_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")


def openapi_document(routes: Sequence[Route], version: str) -> Json:
    """The document that describes `routes`."""
    references, schemas = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, references, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Social Live",
            "version": version,
            "summary": "Live streaming, chat and gifts. docs/PROTOCOL.md says the rest.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {"Problem": _problem(references)},
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


References = dict[tuple[type[BaseModel], JsonSchemaMode], Json]


def _schemas(routes: Iterable[Route]) -> tuple[References, Json]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.query is not None:
            wanted[route.query, "validation"] = None
        if route.takes is not None and not isinstance(route.takes, Text):
            wanted[route.takes, "validation"] = None
        for given in route.gives.values():
            if given is not None and not isinstance(given, Text):
                wanted[given, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=SCHEMA_REF)
    return {key: references[key] for key in wanted}, definitions["$defs"]


def _operation(route: Route, references: References, schemas: Json) -> Json:
    operation: Json = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-z0-9]+', '_', route.path)}".strip("_"),
        "summary": route.summary,
        "description": f"Who may call: {route.access.who}.",
        "tags": [_tag(route)],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query, schemas)],
        "responses": {
            **{
                str(status): _response(status, given, references)
                for status, given in route.gives.items()
            },
            "default": {"$ref": PROBLEM_REF},
        },
    }
    if route.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _content(route.takes, "validation", references),
        }
    if route.access.needs_bearer:
        operation["security"] = [{BEARER: []}]
    return operation


def _response(status: int, given: Given, references: References) -> Json:
    response: Json = {"description": HTTPStatus(status).phrase}
    if given is not None:
        response["content"] = _content(given, "serialization", references)
    return response


def _content(given: type[BaseModel] | Text, mode: JsonSchemaMode, references: References) -> Json:
    if isinstance(given, Text):
        return {given.media_type: {"schema": {"type": "string"}}}
    return {JSON: {"schema": references[given, mode]}}


def _path_parameters(path: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} | ({} if name in NO_UUID else {"format": "uuid"}),
        }
        for name in _PARAMETER.findall(path)
    ]


def _query_parameters(query: type[Query] | None, schemas: Json) -> list[Json]:
    if query is None:
        return []
    schema = schemas[query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _problem(references: References) -> Json:
    return {
        "description": "A refusal (RFC 9457); `code` is made for programs.",
        "content": {"application/problem+json": {"schema": references[Problem, "serialization"]}},
    }


def _tag(route: Route) -> str:
    first, *rest = route.path.strip("/").split("/")
    return "admin" if rest[:1] == ["admin"] else first if first != "api" else rest[0].split(".")[0]
