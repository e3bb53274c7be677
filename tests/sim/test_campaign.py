"""A short crash campaign over real stores and processes; `make crash` runs the long one."""

from pathlib import Path

import pytest

from tests.sim.campaign import campaign

SEED = 20
CRASHES = 8


@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_happens_twice(data_dir: Path) -> None:
    report = await campaign(data_dir, SEED, CRASHES)
    assert report.faults == [], f"seed {SEED}"
    assert report.crashes.total() == CRASHES
    assert report.requests["ok"] > 10 * CRASHES
    assert report.payouts.total() > CRASHES
    assert report.chained > 10 * CRASHES
