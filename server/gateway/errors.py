"""The one table from refusals to HTTP statuses, and the problem documents (RFC 9457) they become.

A refusal is an exception of one of the trees in `REFUSALS`. It has a `code`; it may have
`retry_after_s`, `field` or `errors`, and `headers`. What is no refusal is an outage of a store
(503) or a bug (500); neither tells a stranger anything about the inside.
"""

import logging
import math
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from compliance.errors import ComplianceRefusal
from identity.errors import IdentityError
from ledger.errors import LedgerRefusal
from media.errors import MediaRefusal
from server.gateway.refusals import GatewayRefusal
from server.logs import REQUEST_ID
from server.outages import OUTAGES

logger = logging.getLogger(__name__)

REFUSALS: Final = (
    GatewayRefusal,
    IdentityError,
    LedgerRefusal,
    MediaRefusal,
    ComplianceRefusal,
)

STATUS_OF: Final[dict[str, HTTPStatus]] = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "invalid_json": HTTPStatus.BAD_REQUEST,
    "invalid_sdp": HTTPStatus.BAD_REQUEST,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "invalid_token": HTTPStatus.UNAUTHORIZED,
    "expired_token": HTTPStatus.UNAUTHORIZED,
    "invalid_credentials": HTTPStatus.UNAUTHORIZED,
    "invalid_refresh_token": HTTPStatus.UNAUTHORIZED,
    "invalid_signature": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "suspended": HTTPStatus.FORBIDDEN,
    "own_stream": HTTPStatus.FORBIDDEN,
    "stream_stopped": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "unknown_stream": HTTPStatus.NOT_FOUND,
    "unknown_session": HTTPStatus.NOT_FOUND,
    "unknown_hold": HTTPStatus.NOT_FOUND,
    "unknown_transaction": HTTPStatus.NOT_FOUND,
    "stream_offline": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "no_common_codec": HTTPStatus.NOT_ACCEPTABLE,
    "no_media": HTTPStatus.NOT_ACCEPTABLE,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "stream_busy": HTTPStatus.CONFLICT,
    "email_taken": HTTPStatus.CONFLICT,
    "idempotency_mismatch": HTTPStatus.CONFLICT,
    "insufficient_funds": HTTPStatus.CONFLICT,
    "request_expired": HTTPStatus.CONFLICT,
    "account_closed": HTTPStatus.CONFLICT,
    "account_not_empty": HTTPStatus.CONFLICT,
    "duplicate_reference": HTTPStatus.CONFLICT,
    "hold_closed": HTTPStatus.CONFLICT,
    "already_reversed": HTTPStatus.CONFLICT,
    "not_reversible": HTTPStatus.CONFLICT,
    "invalid_transition": HTTPStatus.CONFLICT,
    "version_conflict": HTTPStatus.CONFLICT,
    "payout_open": HTTPStatus.CONFLICT,
    "batch_not_ready": HTTPStatus.CONFLICT,
    "duplicate_file": HTTPStatus.CONFLICT,
    "contradictory_result": HTTPStatus.CONFLICT,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "invalid_request": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_gift": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_count": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_account": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_currency": HTTPStatus.UNPROCESSABLE_ENTITY,
    "amount_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "precondition_required": HTTPStatus.PRECONDITION_REQUIRED,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "headers_too_large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_viewers": HTTPStatus.SERVICE_UNAVAILABLE,
}

AIOHTTP_REFUSALS: Final[dict[int, tuple[str, str]]] = {
    404: ("not_found", "Nothing lives under this address. Check the path."),
    405: ("method_not_allowed", "This address does not take this method. `Allow` names its own."),
    413: ("too_large", "The body is too large."),
    417: ("bad_request", "The only expectation that is met is 100-continue."),
}
"""What aiohttp raises by itself; anything else of its 4xx is a `bad_request`."""

DEFAULT_RETRY_AFTER_S: Final = {"stream_offline": 5, "unavailable": 2, "too_many_viewers": 10}


class ProblemField(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None
    errors: list[ProblemField] | None = None


def problem_response(
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    errors: list[ProblemField] | None = None,
    retry_after_s: float | None = None,
) -> web.Response:
    """The answer for a refusal with this code; KeyError where the table has no row for it."""
    status = STATUS_OF[code]
    problem = Problem(
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=REQUEST_ID.get(),
        errors=errors,
    )
    response = web.Response(
        status=status,
        body=problem.model_dump_json(exclude_defaults=False, exclude_none=True).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
    if status is HTTPStatus.UNAUTHORIZED:
        # RFC 9110 §11.6.1: a 401 MUST say how to authenticate. RFC 6750 §3.1 names the error.
        error = ', error="invalid_token"' if code in {"invalid_token", "expired_token"} else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="sociallive"{error}'
    if (wait_s := retry_after_s or DEFAULT_RETRY_AFTER_S.get(code)) is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return response


def code_of(refusal: Exception) -> str:
    """The protocol's code of an exception of one of the trees in `REFUSALS`."""
    code: str = refusal.code  # type: ignore[attr-defined] # every tree's base declares it
    return code


def refusal_response(refusal: Exception) -> web.Response:
    """The answer for an exception of one of the trees in `REFUSALS`."""
    errors = [
        ProblemField(field=e.field, message=e.message) for e in getattr(refusal, "errors", ())
    ]
    if (field := getattr(refusal, "field", None)) is not None:
        errors.append(ProblemField(field=field, message=str(refusal)))
    return problem_response(
        code_of(refusal),
        str(refusal),
        headers=dict(getattr(refusal, "headers", {})),
        errors=errors or None,
        retry_after_s=getattr(refusal, "retry_after_s", None),
    )


@web.middleware
async def errors_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised below into a problem document."""
    try:
        return await handler(request)
    except REFUSALS as refusal:
        response = refusal_response(refusal)
    except web.HTTPException as error:
        response = _aiohttp_response(error)
    except OUTAGES as outage:
        logger.warning("a store is unreachable", extra={"error": type(outage).__name__})
        response = problem_response(
            "unavailable", "A part that this needs is not reachable. Try again soon."
        )
    except Exception:
        logger.exception("a request failed")
        response = problem_response(
            "internal", "The server made a mistake. Tell its operator the request id."
        )
    if not request.body_exists or request.content.at_eof():
        return response
    response.force_close()  # the rest of the body is not wanted
    return response


def _aiohttp_response(error: web.HTTPException) -> web.Response:
    code, detail = AIOHTTP_REFUSALS.get(
        error.status, ("bad_request", "The server does not understand this request.")
    )
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return problem_response(code, detail, headers=headers)
