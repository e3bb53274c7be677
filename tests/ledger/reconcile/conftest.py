"""A reconciler over the test's own database."""

from datetime import UTC, datetime

import asyncpg
import pytest

from config.reconcile import ReconcileSettings
from ledger.reconcile.service import Reconciler
from ledger.store.reconcile import ReconcileStore
from tests.support.kettles import Clock
from tests.support.settlements import PlainStream


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def stream() -> PlainStream:
    return PlainStream()


@pytest.fixture
def reconciler(pool: asyncpg.Pool, stream: PlainStream, clock: Clock) -> Reconciler:
    return Reconciler(ReconcileStore(pool), ReconcileSettings(), published=stream, clock=clock)
