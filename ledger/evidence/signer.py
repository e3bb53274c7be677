"""The signer: a checkpoint of the chain's end at a set interval, with the newest key of the ring.

The folder of keys is read each time, so a key that is added signs the next checkpoint. Where there
is none, a first one is made. Nothing is signed twice: a chain that has not moved gets no new one.
A last checkpoint that is of the future (a clock was ahead once) is not waited for.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Head
from ledger.evidence.checkpoints import Checkpoint, sign
from ledger.evidence.key_ring import KeyRing, add_key

log = logging.getLogger(__name__)

RETRY_S = 10.0


class Checkpoints(Protocol):
    """Where the chain ends and checkpoints are kept."""

    async def head(self) -> Head:
        """The end of the chain."""

    async def newest_checkpoint(self) -> Checkpoint | None:
        """The last one that was signed."""

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep it."""


class Signer:
    """Signs checkpoints while `run` runs."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        settings: EvidenceSettings,
        keys: Path,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """`keys` is the folder of the key ring."""
        self._checkpoints = checkpoints
        self._settings = settings
        self._keys = keys
        self._clock = clock

    async def run(self) -> None:
        """Sign until cancelled; failures are logged and tried again."""
        while True:
            try:
                await self.sign_if_due()
                pause_s = await self._due_in_s()
            except Exception:  # whatever the store raises, and a folder that can't be used
                log.exception("no checkpoint could be signed", extra={"retry_in_s": RETRY_S})
                pause_s = RETRY_S
            await asyncio.sleep(pause_s)

    async def sign_if_due(self) -> Checkpoint | None:
        """Sign where the last checkpoint is old enough and the chain has moved since.

        Raises KeyRingError, and what the store raises.
        """
        if await self._due_in_s() > 0:
            return None
        return await self.sign_now()

    async def sign_now(self) -> Checkpoint | None:
        """Sign where the chain has moved since the last checkpoint. Raises as `sign_if_due`."""
        head = await self._checkpoints.head()
        last = await self._checkpoints.newest_checkpoint()
        if head.position <= (0 if last is None else last.position):
            return None
        ring = await asyncio.to_thread(self._ring)
        if ring.signing is None:
            raise LookupError("a key that was just made is gone")
        checkpoint = sign(
            ring.signing,
            position=head.position,
            sequence=head.sequence,
            head=head.hash,
            at=self._clock(),
        )
        await self._checkpoints.add_checkpoint(checkpoint)
        log.info("checkpoint signed", extra={"position": head.position, "hash": head.hash.hex()})
        return checkpoint

    async def _due_in_s(self) -> float:
        last = await self._checkpoints.newest_checkpoint()
        if last is None:
            head = await self._checkpoints.head()
            return 0.0 if head.position else min(RETRY_S, self._settings.checkpoint_every_s)
        age_s = (self._clock() - last.signed_at).total_seconds()
        if 0 <= age_s < self._settings.checkpoint_every_s:
            return self._settings.checkpoint_every_s - age_s
        head = await self._checkpoints.head()
        pause_s = min(RETRY_S, self._settings.checkpoint_every_s)
        return 0.0 if head.position > last.position else pause_s

    def _ring(self) -> KeyRing:
        ring = KeyRing.read(self._keys)
        if ring.signing is None:
            add_key(self._keys, now=self._clock())
            ring = KeyRing.read(self._keys)
        return ring
