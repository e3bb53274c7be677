"""Lists by pages: newest first, by UUIDv7, with the last id of a page as the next one's cursor."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from compliance.errors import InvalidField

MAX_LIMIT = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and where the next page starts; None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: `limit` items older than `before`."""

    before: UUID | None
    limit: int

    @classmethod
    def parse(cls, cursor: str | None, limit: int) -> "PageRequest":
        """Raises InvalidField for a cursor that no page gave and a limit out of 1 to 200."""
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidField("limit", f"Ask for 1 to {MAX_LIMIT} items a page.")
        if cursor is None:
            return cls(None, limit)
        try:
            return cls(UUID(cursor), limit)
        except ValueError:
            message = "Send the next_cursor of the page before, or leave it out."
            raise InvalidField("cursor", message) from None

    def page(self, items: list[tuple[UUID, T]]) -> Page[T]:
        """The page of up to `limit` + 1 items by id; one too many means that more follow."""
        kept = items[: self.limit]
        more = len(items) > self.limit
        return Page(tuple(item for _, item in kept), str(kept[-1][0]) if more else None)
