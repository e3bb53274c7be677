"""Password hashing with argon2id (RFC 9106), the only place that knows argon2.

A hash takes tens of milliseconds and, by default, 64 MiB. It runs in threads of its own (argon2
releases the GIL), whose number bounds the memory; how many may wait for one is bounded as well.
A thread goes on when its caller is cancelled, which is why a semaphore would not hold the bound.
"""

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from config.identity import IdentitySettings
from identity.errors import IdentityBusy

T = TypeVar("T")

_SALT_OCTETS, _TAG_OCTETS = 16, 32


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outdated`: the password is correct and should be hashed again with today's parameters."""

    correct: bool
    outdated: bool = False


class Passwords:
    """Hashes and verifies; raises IdentityBusy when too many wait."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_iterations,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_lanes,
            hash_len=_TAG_OCTETS,
            salt_len=_SALT_OCTETS,
            type=Type.ID,
        )
        self._threads = ThreadPoolExecutor(settings.hash_concurrency, "argon2")
        self._max_pending = settings.hash_concurrency + settings.hash_queue
        self._pending = 0
        self._nobodys_hash = _hash_of_nothing(settings)

    async def hash(self, password: str) -> str:
        """The encoded hash (PHC string format, with parameters and salt)."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Whether the password made this hash.

        None stands for an account that does not exist, and takes as long as a wrong password.
        """
        return await self._in_thread(
            lambda: self._verdict(password_hash or self._nobodys_hash, password)
        )

    def close(self) -> None:
        """Ends the threads; hashes that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verdict(self, password_hash: str, password: str) -> Verdict:
        try:
            self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return Verdict(correct=False)
        return Verdict(correct=True, outdated=self._hasher.check_needs_rehash(password_hash))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._pending >= self._max_pending:
            raise IdentityBusy
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._pending -= 1


def _hash_of_nothing(settings: IdentitySettings) -> str:
    """A hash with today's parameters whose tag is random, so that no password makes it."""
    salt, tag = (
        b64encode(os.urandom(octets)).decode().rstrip("=") for octets in (_SALT_OCTETS, _TAG_OCTETS)
    )
    parameters = (
        f"m={settings.argon2_memory_kib},t={settings.argon2_iterations},p={settings.argon2_lanes}"
    )
    return f"$argon2id$v=19${parameters}${salt}${tag}"
