"""A route: everything that the gateway, the documentation and the tests need to know of it.

`access` and `rate` have no default: a route that doesn't say who may call it can't be made.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from config.http import HttpSettings
from identity.principal import Principal
from server.gateway.access import Access
from server.gateway.body import Body, Query
from server.gateway.limits import RateClass
from server.gateway.path import path_text, path_uuid
from server.services import Services

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Text:
    """A body or an answer that is text of this media type, and no JSON."""

    media_type: str


@dataclass(frozen=True, slots=True)
class Audit:
    """A write that is audited: the action's name, and the path parameter that is its subject."""

    action: str
    subject: str
    is_uuid: bool = True
    """Whether the parameter is a UUID; else it is a name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives back; `body` left out is an empty body."""

    body: BaseModel | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted and validated request."""

    request: web.Request
    services: Services
    settings: HttpSettings
    caller: Principal | None
    body: Body | None = None
    query: Query | None = None
    text: str = ""

    @property
    def principal(self) -> Principal:
        """The signed-in caller, on a route whose access gives one."""
        if self.caller is None:
            raise LookupError("this route's access signs nobody in")
        return self.caller

    def read(self, model: type[M]) -> M:
        """The body or query, which the route validated as `model`."""
        for given in (self.body, self.query):
            if isinstance(given, model):
                return given
        raise LookupError(f"the route does not take {model.__name__}")

    def uuid(self, name: str) -> UUID:
        """A UUID in the path. Raises NotFound."""
        return path_uuid(self.request, name)

    def text_of(self, name: str) -> str:
        """A parameter in the path that is no UUID. Raises NotFound."""
        return path_text(self.request, name)


Handler = Callable[[Call], Awaitable[Answer | web.StreamResponse]]
Given = type[BaseModel] | Text | None


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the route table.

    `gives`: the answers by status; `takes`: the body, `query`: what follows the question mark.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    rate: RateClass
    gives: Mapping[int, Given]
    takes: type[Body] | Text | None = None
    query: type[Query] | None = None
    audit: Audit | None = None

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]
