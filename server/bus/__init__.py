"""The event stream on Redis: the ledger writes it, AML and chat read it.

One entry holds a batch of events, see docs/PROTOCOL.md, "The event stream". Payloads are bytes
here and nothing looks into them.
"""

from server.bus.consumer import ConsumerGroupSource, GroupLag
from server.bus.newest import NewestBatches
from server.bus.publisher import LedgerEventStream
from server.bus.stream import STREAM_KEY
from server.bus.tail import TailReader

__all__ = [
    "STREAM_KEY",
    "ConsumerGroupSource",
    "GroupLag",
    "LedgerEventStream",
    "NewestBatches",
    "TailReader",
]
