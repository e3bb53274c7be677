"""The ledger bench runs, on a small scale, and measures what it says."""

import pytest

import bench.ledger


async def test_every_figure_comes_out(monkeypatch):
    monkeypatch.setattr(bench.ledger, "ROUNDS", 1)
    monkeypatch.setattr(bench.ledger, "ROUND_S", 1)
    monkeypatch.setattr(bench.ledger, "SCALE", 1)
    figures = await bench.ledger.measure()
    assert all(figure.value > 0 for figure in figures)
    compared = [figure for figure in figures if figure.peer is not None]
    assert len(compared) == 4
    assert all(figure.ratio for figure in compared)


def test_pgbenchs_output_is_read():
    output = "number of transactions actually processed: 15605\n…\ntps = 2666.534066 (without …)\n"
    assert bench.ledger.transactions(output) == (15605, 2666.534066)
    with pytest.raises(ValueError, match="pgbench"):
        bench.ledger.transactions("tps = ")
