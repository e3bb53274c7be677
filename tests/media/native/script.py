"""A socket that takes what a script says, for both fan-outs: what each sees of it is the same.

`answers` are errnos for the next messages, 0 where one is taken; then everything is. A plain
datagram asks for one answer, and so does a run that the kernel would cut.
"""

import os
from collections import deque
from collections.abc import Iterable, Sequence

from media.relay.tracks import Address

Message = tuple[bytes, int, Address]
"""(datagrams in one piece, the size they are cut at or 0, address)"""


class ScriptedSocket:
    """As much of a socket as `SegmentingSender` needs; `send_message` is what native code needs."""

    def __init__(self, answers: Iterable[int] = ()) -> None:
        self.answers = deque(answers)
        self.sent: list[Message] = []

    def datagrams(self) -> list[tuple[bytes, Address]]:
        """Everything that was taken, as it would arrive."""
        return [
            (piece, address)
            for data, segment, address in self.sent
            for piece in _cut(data, segment or len(data))
        ]

    def send_message(self, data: bytes, segment: int, address: Address) -> int:
        answer = self.answers.popleft() if self.answers else 0
        if answer == 0:
            self.sent.append((data, segment, address))
        return answer

    def getsockopt(self, level: int, option: int) -> int:
        return 0

    def sendto(self, data: bytes, address: Address) -> None:
        self._send(data, 0, address)

    def sendmsg(
        self,
        buffers: Sequence[bytes],
        ancillary: Sequence[tuple[int, int, bytes]],
        flags: int,
        address: Address,
    ) -> None:
        ((_, _, segment),) = ancillary
        self._send(b"".join(buffers), int.from_bytes(segment, "little"), address)

    def _send(self, data: bytes, segment: int, address: Address) -> None:
        if error := self.send_message(data, segment, address):
            raise OSError(error, os.strerror(error))


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
