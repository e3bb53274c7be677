"""The signer: when it signs, with which key, and what it leaves alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Head
from ledger.evidence.key_ring import KeyRing, KeyRingError, add_key
from ledger.evidence.signer import Signer

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Kept:
    """A chain whose end is set by hand, and the checkpoints that were kept."""

    def __init__(self):
        self.position = 0
        self.checkpoints = []
        self.kept = asyncio.Event()
        self.failures = 0

    async def head(self):
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        return Head(self.position, self.position * 10, bytes([self.position]) * 32)

    async def newest_checkpoint(self):
        return self.checkpoints[-1] if self.checkpoints else None

    async def add_checkpoint(self, checkpoint):
        self.checkpoints.append(checkpoint)
        self.kept.set()


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signer(kept, clock, tmp_path):
    return Signer(kept, EvidenceSettings(), tmp_path / "keys", clock=clock)


async def test_an_empty_chain_is_not_signed(signer, kept, tmp_path):
    assert await signer.sign_if_due() is None
    assert kept.checkpoints == []
    assert not (tmp_path / "keys").exists()


async def test_the_first_is_signed_at_once_with_a_key_that_is_made(signer, kept, tmp_path):
    kept.position = 7
    checkpoint = await signer.sign_if_due()
    assert kept.checkpoints == [checkpoint]
    assert (checkpoint.position, checkpoint.sequence, checkpoint.signed_at) == (7, 70, NOW)
    assert checkpoint.fault(KeyRing.read(tmp_path / "keys").trusted) is None


async def test_the_next_comes_an_hour_later_if_the_chain_moved(signer, kept, clock):
    kept.position = 7
    await signer.sign_if_due()
    kept.position = 8
    clock.now += timedelta(minutes=59)
    assert await signer.sign_if_due() is None
    clock.now += timedelta(minutes=1)
    assert (await signer.sign_if_due()).position == 8
    clock.now += timedelta(hours=5)
    assert await signer.sign_if_due() is None
    assert len(kept.checkpoints) == 2


async def test_a_clock_that_was_ahead_once_does_not_hold_up_the_next(signer, kept, clock):
    clock.now += timedelta(days=365)
    kept.position = 7
    await signer.sign_if_due()
    clock.now = NOW
    kept.position = 8
    checkpoint = await signer.sign_if_due()
    assert (checkpoint.position, checkpoint.signed_at) == (8, NOW)
    kept.position = 9
    assert await signer.sign_if_due() is None


async def test_it_can_be_asked_to_sign_before_its_time(signer, kept):
    kept.position = 7
    await signer.sign_now()
    assert await signer.sign_now() is None
    kept.position = 8
    assert (await signer.sign_now()).position == 8


async def test_a_key_that_was_added_signs_the_next(signer, kept, tmp_path):
    kept.position = 1
    first = await signer.sign_now()
    key_id = add_key(tmp_path / "keys", now=NOW + timedelta(seconds=1))
    kept.position = 2
    second = await signer.sign_now()
    assert second.key_id == key_id != first.key_id
    trusted = KeyRing.read(tmp_path / "keys").trusted
    assert [each.fault(trusted) for each in (first, second)] == [None, None]


async def test_a_key_that_others_can_read_signs_nothing(signer, kept, tmp_path):
    add_key(tmp_path / "keys", now=NOW)
    for path in (tmp_path / "keys").iterdir():
        path.chmod(0o644)
    kept.position = 1
    with pytest.raises(KeyRingError):
        await signer.sign_now()


async def test_it_goes_on_after_a_failure(kept, clock, tmp_path, monkeypatch):
    monkeypatch.setattr("ledger.evidence.signer.RETRY_S", 0.001)
    kept.position, kept.failures = 3, 2
    signer = Signer(kept, EvidenceSettings(), tmp_path / "keys", clock=clock)
    task = asyncio.create_task(signer.run())
    async with asyncio.timeout(5):
        await kept.kept.wait()
    task.cancel()
    assert kept.checkpoints[0].position == 3
