"""What the event store refuses.

LedgerRefusal
└── VersionConflict     version_conflict: somebody else appended to the stream first
"""

from ledger.errors import LedgerRefusal


class VersionConflict(LedgerRefusal):
    """The stream is not at the version that was expected; nothing was appended."""

    code = "version_conflict"

    def __init__(self, stream_id: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{stream_id} is at version {actual}, not {expected}: somebody else changed it first."
            " Read it again."
        )
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual
