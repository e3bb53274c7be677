"""The bench of the verification runs, on a small ledger that is sound."""

import pytest

from bench.ledger_verify import measure


@pytest.mark.slow
async def test_every_figure_is_measured():
    figures = await measure(gifts=2_000)
    assert [figure.unit for figure in figures] == ["1/s", "1/s", "MiB"]
    assert "16,001 entries" in figures[0].figure
    assert figures[0].value > 0
