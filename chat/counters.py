"""Figures of the chat: plain numbers that only grow."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class ChatCounters:
    """Since the process started."""

    frames_in: int = 0
    """Frames received from clients."""

    messages: int = 0
    """Messages taken from clients of this node."""

    gifts_shown: int = 0
    """Gift events of the ledger taken for showing."""

    deliveries: int = 0
    """Events written to connections: one event to a hundred members is a hundred."""

    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by code."""

    closed: Counter[int] = field(default_factory=Counter)
    """Connections that this server ended, by close code; 4002 are the slow ones."""

    bad_payloads: int = 0
    """Payloads of the bus that could not be read."""
