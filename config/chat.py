"""Settings of the chat."""

from pydantic import Field, IPvAnyNetwork

from config.section import Section


class ChatSettings(Section):
    """Chat over WebSocket."""

    host: str = "127.0.0.1"
    """Address that the WebSocket listener binds to."""

    port: int = Field(default=8081, ge=0, le=65535)
    """TCP port of the WebSocket listener; 0 takes a free one."""

    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Networks of reverse proxies whose `X-Forwarded-For` names the client; from anyone else it is
    ignored."""

    max_connections: int = Field(default=20_000, ge=1)
    """Open connections of this process; a further one is closed with 4004."""

    max_pending_connections: int = Field(default=1000, ge=1)
    """TCP connections beyond `max_connections` that may be opening or closing; a further one is
    dropped."""

    max_connections_per_address: int = Field(default=200, ge=1)
    """Open connections of one IPv4 address or one IPv6 /64 network; a further one gets 4004."""

    max_connections_per_user: int = Field(default=10, ge=1)
    """Open connections of one signed-in user on this node; a further one gets 4004."""

    max_rooms_per_connection: int = Field(default=10, ge=1)
    """Rooms that one connection may have joined at once."""

    open_timeout_s: float = Field(default=5.0, gt=0)
    """How long the HTTP upgrade may take, slow headers included."""

    hello_timeout_s: float = Field(default=5.0, gt=0)
    """How long a connection may take to its `hello` before it is closed with 4000."""

    close_timeout_s: float = Field(default=5.0, gt=0)
    """How long a closing handshake may take before the connection is cut."""

    ping_interval_s: int = Field(default=20, ge=1)
    """Seconds between keep-alive pings; told to clients in `welcome`."""

    ping_timeout_s: float = Field(default=20.0, gt=0)
    """How long a client may take to answer a ping."""

    max_frame_bytes: int = Field(default=4096, ge=1024)
    """Largest frame of a client; a larger one ends the connection with 1009."""

    outgoing_budget_bytes: int = Field(default=262_144, ge=65_536)
    """Bytes that may wait for one client; when more wait it is too slow and closed with 4002."""

    max_bad_frames: int = Field(default=10, ge=1)
    """Malformed frames a minute; more end the connection with 4001."""

    requests_per_10_s: int = Field(default=60, ge=1)
    """Requests of any kind of one connection."""

    hellos_per_minute: int = Field(default=5, ge=1)
    """Sign-ins of one connection, each of which costs a signature check."""

    messages_per_10_s: int = Field(default=10, ge=1)
    """Messages of one user over all of their connections to this node."""

    gifts_per_10_s: int = Field(default=30, ge=1)
    """Gift requests of one user over all of their connections to this node."""

    max_text_chars: int = Field(default=500, ge=1, le=1000)
    """Characters of a message after it was cleaned."""

    history_size: int = Field(default=50, ge=1, le=200)
    """Messages and gifts that a newcomer to a room is shown."""

    max_timeouts_per_room: int = Field(default=10_000, ge=1)
    """Users timed out in one room at once; above it, what ends soonest is forgotten."""

    viewers_interval_s: float = Field(default=1.0, gt=0)
    """Least time between two `viewers` events of a room."""

    presence_ttl_s: float = Field(default=15.0, ge=1)
    """How long the viewers of a node that died are still counted."""

    room_linger_s: float = Field(default=10.0, ge=0)
    """How long a room without members stays open on this node."""

    store_timeout_s: float = Field(default=3.0, gt=0)
    """How long a request may wait for other parts before it is refused with `unavailable`."""

    stop_timeout_s: float = Field(default=5.0, gt=0)
    """How long clients may take to leave when the server stops."""
