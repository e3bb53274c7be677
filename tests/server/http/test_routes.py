"""Every address states who may call it, and that is who can."""

import re
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from identity.roles import Role
from server.gateway.access import (
    ANYONE,
    OPERATOR,
    PAYOUT_PROVIDER,
    SIGNED_IN,
    STREAM_OWNER,
    STREAM_PUBLISHER,
    Access,
    Roles,
)
from server.gateway.endpoint import Endpoint
from server.gateway.limits import RateClass
from server.gateway.route import Route
from server.http.routes import API, ROUTES

NOBODY, VIEWER, STREAMER, MODERATOR, ADMIN, OWNER = (
    "nobody",
    "viewer",
    "streamer",
    "moderator",
    "admin",
    "owner",
)
EVERYONE = {NOBODY, VIEWER, STREAMER, MODERATOR, ADMIN, OWNER}
# docs/PROTOCOL.md, written down a second time so that a slip in the table shows.
PUBLIC = re.compile(
    r"POST /auth/(register|login|refresh)|GET /\.well-known/.*|GET /api/(streams(/[^/]*)?|gifts"
    r"|config|openapi\.json)|OPTIONS /wh[ei]p/.*|\w+ /whep/.*|GET /(healthz|readyz|metrics)"
    r"|GET /(watch/.*|studio|admin|assets/.*|\{file.*)?"
)
OWN = re.compile(r"\w+ /api/me/streams/.*|(POST|PATCH|DELETE) /whip/.*")
SIGNED = re.compile(r"POST /api/payouts/notices")
STREAMERS = re.compile(r"(GET|POST) /api/me/streams")
ADMINS = re.compile(r"\w+ /api/admin/.*")


def allowed(route: Route) -> set[str]:
    """Who may call, by the protocol."""
    name = f"{route.method} {route.path}"
    for pattern, who in (
        (PUBLIC, EVERYONE),
        (OWN, {OWNER}),
        (SIGNED, set()),  # whoever signs the body, and none of these does
        (STREAMERS, {STREAMER, OWNER, ADMIN}),
        (ADMINS, {ADMIN}),
    ):
        if pattern.fullmatch(name):
            return who
    return EVERYONE - {NOBODY}


def test_a_route_that_does_not_say_who_may_call_can_t_be_made() -> None:
    with pytest.raises(TypeError, match="access"):
        Route("GET", "/", None, rate=RateClass.READ, gives={})  # type: ignore[call-arg, arg-type]


def test_every_address_has_a_row(app: web.Application) -> None:
    rows = {id(route) for route in ROUTES}
    served = list(app.router.routes())
    assert served
    for item in served:
        endpoint = getattr(item.handler, "__self__", None)
        assert isinstance(endpoint, Endpoint), f"{item.method} {item.resource} has no row"
        assert id(endpoint.route) in rows
        access: Access = endpoint.route.access
        assert access.who
        assert isinstance(access, Roles) or access in (
            ANYONE,
            SIGNED_IN,
            STREAM_OWNER,
            STREAM_PUBLISHER,
            OPERATOR,
            PAYOUT_PROVIDER,
        )


def test_rows_are_told_apart_and_documented() -> None:
    names = [(route.method, route.path) for route in ROUTES]
    assert len(set(names)) == len(names)
    assert [route.path for route in ROUTES if not route.summary] == []


def test_every_admin_write_is_audited_and_nothing_else_is() -> None:
    for route in API:
        is_write = route.path.startswith("/api/admin/") and route.method != "GET"
        assert (route.audit is not None) == is_write, route.path
        assert route.audit is None or f"{{{route.audit.subject}}}" in route.path


async def test_each_route_lets_in_whom_the_protocol_names(api: Any) -> None:
    people = {
        NOBODY: None,
        VIEWER: await api.person(Role.VIEWER),
        STREAMER: await api.person(Role.STREAMER),
        MODERATOR: await api.person(Role.MODERATOR),
        ADMIN: await api.person(Role.ADMIN),
    }
    owner = await api.person(Role.STREAMER)
    stream, _ = await api.stream(owner)
    ids = {
        "stream_id": str(stream.stream_id),
        "session_id": "none",
        "user_id": str(uuid4()),
        "alert_id": str(uuid4()),
        "payout_id": str(uuid4()),
        "batch_id": str(uuid4()),
        "import_id": str(uuid4()),
        "purchase_id": str(uuid4()),
        "task_id": str(uuid4()),
        "reconciliation_id": str(uuid4()),
        "difference_id": str(uuid4()),
        "provider": "default",
        "transaction_id": str(uuid4()),
        "hold_id": str(uuid4()),
        "file": "none.js",
        "consumer": "aml",
        "letter_id": "1-1",
        "position": "newest",
    }
    wrong = []
    for route in ROUTES:
        path = re.sub(r"\{(\w+)(:[^}]*\])?[^}]*\}", lambda match: ids[match[1]], route.path)
        for who in sorted(EVERYONE):
            # Logging out ends a session: everyone needs one of their own for it.
            person = owner if who == OWNER else people[who]
            if route.path == "/auth/logout" and who != NOBODY:
                person = await api.person()
            reply = await api(route.method, path, by=person, data=b"")
            admitted = reply.status not in (401, 403)
            if admitted != (who in allowed(route)):
                wrong.append((route.method, path, who, reply.status))
            if who == NOBODY and not admitted:
                assert reply.code == "unauthenticated"
    assert wrong == []
