"""Memory that sessions leave behind goes back to the system.

A handshake takes some 45 KiB inside OpenSSL until its peer has sent SRTP. What is freed then lies
in small holes between what stays, and so the C library would keep it: after a crowd has come, more
than all of its sessions take.
"""

import ctypes
import threading
from typing import Final

EVERY_S: Final = 2.0
"""How often at most. It takes some 8 µs for each handshake since the last time."""

# glibc's own (malloc_trim(3)); other C libraries give memory back by themselves, or can't.
_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)


class Heap:
    """The memory of one worker's process."""

    def __init__(self) -> None:
        self.freed = 0
        """Handshakes and sessions that are over; whoever ends one counts it."""
        self._given_back = 0
        self._next_at = 0.0

    def poll(self, now: float) -> None:
        """Give back what was freed since the last time, in a thread: it can take milliseconds."""
        if _TRIM is None or self.freed == self._given_back or now < self._next_at:
            return
        self._given_back = self.freed
        self._next_at = now + EVERY_S
        threading.Thread(target=_TRIM, args=(0,), name="heap", daemon=True).start()
