"""Settings of the HTTP listener."""

from pydantic import Field

from config.section import Section


class HttpSettings(Section):
    """The HTTP listener and its gateway."""

    host: str = "127.0.0.1"
    """Address that the HTTP listener binds to."""

    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port of the HTTP listener; 0 takes a free one."""
