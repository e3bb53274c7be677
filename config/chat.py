"""Settings of the chat."""

from pydantic import Field

from config.section import Section


class ChatSettings(Section):
    """Chat over WebSocket."""

    host: str = "127.0.0.1"
    """Address that the WebSocket listener binds to."""

    port: int = Field(default=8081, ge=0, le=65535)
    """TCP port of the WebSocket listener; 0 takes a free one."""
