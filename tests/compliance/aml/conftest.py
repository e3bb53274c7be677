"""The checks' store on a real PostgreSQL, and a clock that tests move."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import pytest

from compliance.aml.store import AmlStore
from tests.support.gifts import START


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(pool: asyncpg.Pool) -> AmlStore:
    return AmlStore(pool)
