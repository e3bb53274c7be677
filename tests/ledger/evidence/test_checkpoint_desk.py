"""The desk finds the checkpoint that is asked for, and the key of it alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.evidence.checkpoint_desk import CheckpointDesk, UnknownCheckpoint
from ledger.evidence.checkpoints import Checkpoint, sign
from ledger.evidence.key_ring import KeyRing, add_key

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Kept:
    """Checkpoints in memory."""

    def __init__(self, *checkpoints: Checkpoint) -> None:
        self._checkpoints = sorted(checkpoints, key=lambda each: -each.position)

    async def checkpoints(self, *, before: int, limit: int) -> list[Checkpoint]:
        return [each for each in self._checkpoints if each.position < before][:limit]


def signed(folder: Path, position: int) -> Checkpoint:
    """With a key of its own."""
    add_key(folder, now=AT.replace(minute=position))
    signing = KeyRing.read(folder).signing
    assert signing is not None
    return sign(signing, position=position, sequence=position, head=bytes(32), at=AT)


async def test_a_page_goes_back_from_the_newest(tmp_path: Path) -> None:
    made = [signed(tmp_path, position) for position in (1, 5, 9)]
    desk = CheckpointDesk(Kept(*made), tmp_path)
    assert await desk.page(None, 2) == [made[2], made[1]]
    assert await desk.page(5, 2) == [made[0]]


async def test_an_export_has_one_checkpoint_and_its_key(tmp_path: Path) -> None:
    made = [signed(tmp_path, position) for position in (1, 5)]
    desk = CheckpointDesk(Kept(*made), tmp_path)
    for position, wanted in ((None, made[1]), (5, made[1]), (1, made[0])):
        found = await desk.export(position)
        assert [each["position"] for each in found["checkpoints"]] == [wanted.position]
        assert [each["key_id"] for each in found["keys"]] == [wanted.key_id]


async def test_a_key_that_is_elsewhere_is_left_out(tmp_path: Path) -> None:
    desk = CheckpointDesk(Kept(signed(tmp_path / "a", 1)), tmp_path / "b")
    found = await desk.export(1)
    assert (found["keys"], len(found["checkpoints"])) == ([], 1)


@pytest.mark.parametrize("position", [None, 0, 4, 6])
async def test_what_was_not_signed_is_unknown(tmp_path: Path, position: int | None) -> None:
    kept = Kept() if position is None else Kept(signed(tmp_path, 5))
    with pytest.raises(UnknownCheckpoint):
        await CheckpointDesk(kept, tmp_path).export(position)
