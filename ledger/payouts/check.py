"""What payouts ask of compliance."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a user may be paid without a person looking; `reason` for the admins where not."""

    is_clear: bool
    reason: str = ""


class ComplianceCheck(Protocol):
    """Judges people."""

    async def judge(self, user_id: UUID) -> Verdict:
        """Of now. Any exception means that it is not known: it will be asked again."""
