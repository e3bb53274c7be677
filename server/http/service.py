"""The service itself: health, readiness, metrics, what pages need to know, the documentation."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import RootModel

from server.gateway.route import Answer, Call
from server.http.shapes import Shape
from server.http.site import chat_url

OPENAPI: Final = web.AppKey("openapi", bytes)


def product_version() -> str:
    """The version that is installed; "unknown" when run from a tree that isn't."""
    try:
        return version("sociallive")
    except PackageNotFoundError:
        return "unknown"


class Health(Shape):
    """The process runs."""

    status: Literal["ok"] = "ok"


class CheckShape(Shape):
    """What one part answered."""

    ok: bool
    latency_ms: float


class ReadyReport(Shape):
    """Whether the process can do its work."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, CheckShape]


class PageConfig(Shape):
    """What pages need to know before they can do anything."""

    chat_url: str
    currency: str
    version: str


class OpenApiDocument(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


async def health(call: Call) -> Answer:
    """Whether the process runs."""
    return Answer(Health())


async def ready(call: Call) -> Answer:
    """Whether the stores and the media worker answer."""
    outcomes = await call.services.readiness.outcomes()
    is_ready = all(outcome.ok for outcome in outcomes.values())
    report = ReadyReport(
        status="ok" if is_ready else "unavailable",
        checks={name: CheckShape.model_validate(outcome) for name, outcome in outcomes.items()},
    )
    return Answer(report, status=200 if is_ready else 503)


async def metrics(call: Call) -> web.Response:
    """All figures, for Prometheus."""
    exporter = call.services.metrics
    return web.Response(body=exporter.exposition(), headers={"Content-Type": exporter.content_type})


async def page_config(call: Call) -> Answer:
    """What pages need to know."""
    return Answer(
        PageConfig(
            chat_url=chat_url(call),
            currency=call.services.ledger.currency,
            version=product_version(),
        )
    )


async def openapi(call: Call) -> web.Response:
    """This API, described for machines."""
    return web.Response(
        body=call.request.app[OPENAPI],
        content_type="application/json",
        headers={"Cache-Control": "no-cache"},
    )
