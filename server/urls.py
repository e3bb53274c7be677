"""Where this process can be reached."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses without a trailing slash, but the chat's, which is complete."""

    http: str
    chat: str

    @classmethod
    def of(cls, http_host: str, http_port: int, chat_host: str, chat_port: int) -> "Urls":
        """As a client on this machine would write them."""
        return cls(
            http=f"http://{_reachable(http_host)}:{http_port}",
            chat=f"ws://{_reachable(chat_host)}:{chat_port}/",
        )


def _reachable(host: str) -> str:
    """A name to connect to, where `host` may be one that stands for every address."""
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
