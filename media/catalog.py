"""Streams as people know them: whose, what they are called, their key, whether they are live."""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

from media.errors import InvalidTitle, TooManyStreams, UnknownStream

MAX_STREAMS = 10
"""Streams that one person may have."""

MAX_TITLE_CHARS = 120

KEY_PREFIX = "sk_"
_KEY_RANDOM_BYTES = 32

# Control characters, lone surrogates, line separators; not Cf as a whole, which joins emoji.
_UNFIT_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
# Direction overrides and isolates would turn what follows a title on the page.
_UNFIT_CHARACTERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class CatalogState(StrEnum):
    """What the catalogue says of a stream."""

    OFFLINE = "offline"
    LIVE = "live"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of the catalogue."""

    stream_id: UUID
    owner_id: UUID
    owner_name: str
    """The owner's display name when the stream was made."""
    title: str
    state: CatalogState
    started_at: datetime | None
    """Since when it is live, interruptions included; None while offline."""
    created_at: datetime


class StreamRecords(Protocol):
    """Where the catalogue keeps streams; a method gives None where there is no such stream."""

    async def insert(self, stream: Stream, key_hash: bytes, *, max_streams: int) -> Stream | None:
        """Keep a new stream, or give None where the owner has `max_streams` already."""

    async def get(self, stream_id: UUID) -> Stream | None: ...

    async def owned(self, owner_id: UUID) -> list[Stream]: ...

    async def not_offline(self) -> list[Stream]: ...

    async def rename(self, stream_id: UUID, title: str) -> Stream | None: ...

    async def replace_key(self, stream_id: UUID, key_hash: bytes) -> Stream | None: ...

    async def key_hash(self, stream_id: UUID) -> bytes | None: ...

    async def mark_live(self, stream_id: UUID, now: datetime) -> None: ...

    async def mark_interrupted(self, stream_id: UUID) -> None: ...

    async def mark_offline(self, stream_id: UUID) -> None: ...

    async def reset_live(self) -> None: ...


class StreamCatalog:
    """The rules of the catalogue over its records; `clock` gives aware UTC."""

    def __init__(self, records: StreamRecords, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._clock = clock

    async def create(self, owner_id: UUID, owner_name: str, title: str) -> tuple[Stream, str]:
        """A new stream and its key. Raises InvalidTitle, TooManyStreams."""
        key = _new_key()
        stream = await self._records.insert(
            Stream(
                stream_id=uuid7(),
                owner_id=owner_id,
                owner_name=owner_name,
                title=checked_title(title),
                state=CatalogState.OFFLINE,
                started_at=None,
                created_at=self._clock(),
            ),
            _hash(key),
            max_streams=MAX_STREAMS,
        )
        if stream is None:
            raise TooManyStreams(MAX_STREAMS)
        return stream, key

    async def get(self, stream_id: UUID) -> Stream:
        """The stream. Raises UnknownStream."""
        return _known(await self._records.get(stream_id))

    async def owned(self, owner_id: UUID) -> list[Stream]:
        """A person's streams, the oldest first."""
        return await self._records.owned(owner_id)

    async def live(self) -> list[Stream]:
        """Streams that are live or interrupted, the longest running first."""
        return await self._records.not_offline()

    async def rename(self, stream_id: UUID, title: str) -> Stream:
        """The stream under another title. Raises InvalidTitle, UnknownStream."""
        return _known(await self._records.rename(stream_id, checked_title(title)))

    async def rotate_key(self, stream_id: UUID) -> tuple[Stream, str]:
        """A new key; the former one no longer works. Raises UnknownStream."""
        key = _new_key()
        return _known(await self._records.replace_key(stream_id, _hash(key))), key

    async def verify_key(self, stream_id: UUID, key: str) -> bool:
        """Whether this is the stream's key, in a time that tells nothing about how wrong it is."""
        kept = await self._records.key_hash(stream_id)
        return hmac.compare_digest(_hash(key), kept or bytes(32)) and kept is not None

    async def mark_live(self, stream_id: UUID) -> None:
        """A publisher is connected; `started_at` stays where this ends an interruption."""
        await self._records.mark_live(stream_id, self._clock())

    async def mark_interrupted(self, stream_id: UUID) -> None:
        """The publisher of a live stream is gone."""
        await self._records.mark_interrupted(stream_id)

    async def mark_offline(self, stream_id: UUID) -> None:
        """The stream is over."""
        await self._records.mark_offline(stream_id)

    async def reset_live(self) -> None:
        """At start: whatever was live when the last process died is not any more."""
        await self._records.reset_live()


def checked_title(title: str) -> str:
    """The title without the spaces around it. Raises InvalidTitle."""
    title = unicodedata.normalize("NFC", title).strip()
    if not 1 <= len(title) <= MAX_TITLE_CHARS:
        raise InvalidTitle(f"A title has 1 to {MAX_TITLE_CHARS} characters.")
    if any(unicodedata.category(c) in _UNFIT_CATEGORIES or c in _UNFIT_CHARACTERS for c in title):
        raise InvalidTitle("A title is one line of text, without control characters.")
    return title


def _known(stream: Stream | None) -> Stream:
    if stream is None:
        raise UnknownStream
    return stream


def _new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(_KEY_RANDOM_BYTES)


def _hash(key: str) -> bytes:
    """Keys are random, so a fast hash is enough: there is nothing to guess."""
    return hashlib.sha256(key.encode(errors="replace")).digest()
