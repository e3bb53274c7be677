"""What happens between the router and a handler, in order:

size announced → address limit → access → user limit → format → body → audit → handler → answer.

Cheap refusals come first; nothing is read for a caller who may not call.
"""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from identity.principal import Principal
from server.gateway.access import Gate
from server.gateway.body import (
    JSON,
    Body,
    check_media_type,
    check_size,
    defer_continue,
    parse_body,
    parse_query,
    read_body,
)
from server.gateway.client import CLIENT
from server.gateway.errors import REFUSALS, code_of
from server.gateway.limits import RateLimiter
from server.gateway.observe import PRINCIPAL
from server.gateway.refusals import BadRequest
from server.gateway.route import Answer, Audit, Call, Route, Text

MAX_SUBJECT = 200


class Endpoint:
    """A route, whose `answer` aiohttp calls."""

    def __init__(self, route: Route, gate: Gate, limiter: RateLimiter) -> None:
        self.route = route
        self._gate = gate
        self._limiter = limiter

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; raises refusals."""
        check_size(request, self._gate.settings)
        await self._limiter.take_for_address(self.route.rate, request[CLIENT].rate_subject)
        caller = await self._admit(request)
        call = await self._read(request, caller)
        given = await self._carry_out(call)
        return given if isinstance(given, web.StreamResponse) else _response(given)

    async def _admit(self, request: web.Request) -> Principal | None:
        caller = await self.route.access.admit(request, self._gate)
        if caller is not None:
            request[PRINCIPAL] = caller
            await self._limiter.take_for_user(self.route.rate, str(caller.user_id))
        return caller

    async def _read(self, request: web.Request, caller: Principal | None) -> Call:
        route, settings = self.route, self._gate.settings
        query = None if route.query is None else parse_query(route.query, request)
        body: Body | None = None
        text = ""
        if route.takes is not None:
            check_media_type(
                request, route.takes.media_type if isinstance(route.takes, Text) else JSON
            )
            content = await read_body(request, settings)
            if isinstance(route.takes, Text):
                text = _decode(content)
            else:
                body = parse_body(route.takes, content)
        return Call(request, self._gate.services, settings, caller, body, query, text)

    async def _carry_out(self, call: Call) -> Answer | web.StreamResponse:
        """A write that is audited is recorded before it is done: what can't be recorded is not
        done. A refusal is recorded after it."""
        audit = self.route.audit
        if audit is None:
            return await self.route.handler(call)
        details = {} if call.body is None else call.body.model_dump(mode="json")
        await self._record(audit, call, audit.action, details)
        try:
            return await self.route.handler(call)
        except REFUSALS as refusal:
            await self._record(audit, call, f"{audit.action}.refused", {"code": code_of(refusal)})
            raise

    async def _record(self, audit: Audit, call: Call, action: str, details: dict[str, Any]) -> None:
        read = call.uuid if audit.is_uuid else call.text_of
        await self._gate.services.audit.record(
            actor_id=call.principal.user_id,
            action=action,
            subject=f"{audit.subject.removesuffix('_id')}:{read(audit.subject)}"[:MAX_SUBJECT],
            details=details,
        )


def register(
    app: web.Application, routes: Iterable[Route], gate: Gate, limiter: RateLimiter
) -> None:
    """Add the routes to `app`; a GET route also answers HEAD."""
    for route in routes:
        endpoint = Endpoint(route, gate, limiter)
        methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
        for method in methods:
            app.router.add_route(method, route.path, endpoint.answer, expect_handler=defer_continue)


def _response(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.Response(
        status=answer.status,
        body=answer.body.model_dump_json().encode(),
        content_type=JSON,
        charset="utf-8",
        headers=answer.headers,
    )


def _decode(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    if "\x00" in text:
        raise BadRequest("The body has a NUL character, which is no text.")
    return text
