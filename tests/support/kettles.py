"""Events about kettles, and a clock that tests move: for what is built on the event store."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from ledger.event_store.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Filled:
    TYPE: ClassVar[str] = "kettle.filled"
    VERSION: ClassVar[int] = 1
    millilitres: int


@dataclass(frozen=True, slots=True)
class Boiled:
    TYPE: ClassVar[str] = "kettle.boiled"
    VERSION: ClassVar[int] = 1


CATALOGUE = Catalogue([Filled, Boiled])


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
