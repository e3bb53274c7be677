"""The HTTP application: the route table behind the gateway.

From outside in: request id, access log and metrics (`observe`), security headers and CORS
(`headers`), refusals to problem documents (`errors`), then the router, and at each route its
`Endpoint`. Headers stand outside of errors so that refusals carry them too.
"""

from functools import cache
from pathlib import Path

import orjson
from aiohttp import web

from config.http import HttpSettings
from server.figures import gateway_figures
from server.gateway.access import Gate
from server.gateway.endpoint import register
from server.gateway.errors import errors_middleware
from server.gateway.headers import headers_middleware
from server.gateway.limits import RateLimiter
from server.gateway.observe import observe_middleware
from server.http import pages
from server.http.openapi import openapi_document
from server.http.routes import API, ROUTES
from server.http.service import OPENAPI, product_version
from server.services import Services


def build_http_app(
    services: Services,
    settings: HttpSettings,
    limiter: RateLimiter,
    *,
    pages_folder: Path = pages.FOLDER,
) -> web.Application:
    """The application; `server.gateway.listener.HttpListener` serves it."""
    app = web.Application(
        middlewares=[
            observe_middleware(settings, services.metrics),
            headers_middleware(settings),
            errors_middleware,
        ],
        client_max_size=settings.max_body_bytes,
    )
    app[pages.PAGES] = pages_folder
    app[OPENAPI] = _described()
    services.metrics.add(gateway_figures(limiter))
    register(app, ROUTES, Gate(services, settings), limiter)
    return app


@cache
def _described() -> bytes:
    """The table doesn't change while the process runs."""
    return orjson.dumps(openapi_document(API, product_version()))
