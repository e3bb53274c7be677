"""Chaining what a server that is gone had no time for.

A dump, a recovery to a moment and a server that was killed leave batches behind the end of the
chain, for up to half a second of them. They are linked at the end of a restore, and before a
verification where no server runs that would; the server itself does so at its next start.
"""

import asyncio
import logging
from datetime import UTC, datetime

import asyncpg

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.store.evidence import EvidenceStore
from server.database import create_pool

log = logging.getLogger(__name__)

PATIENCE_S = 600.0
"""Behind a gap it waits for postings that run elsewhere, and a backlog takes its time."""


async def chain_what_waits(pool: asyncpg.Pool, settings: EvidenceSettings) -> int:
    """Link it; how many links that took.

    What fails is logged and left to the server's chainer: it is no reason not to restore a ledger,
    nor not to verify it.
    """
    chainer = Chainer(EvidenceStore(pool), settings, clock=lambda: datetime.now(UTC))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await chainer.catch_up()
    except Exception as error:  # whatever the store raises
        log.warning("what waits for the chain could not be chained: %r", error)
    return chainer.figures.links


async def chain_what_waits_at(url: str, settings: EvidenceSettings) -> int:
    """The same in the database at this address. Raises OSError or asyncpg.PostgresError where it
    can't be reached."""
    pool = await create_pool(url, size=2)
    try:
        return await chain_what_waits(pool, settings)
    finally:
        pool.terminate()
