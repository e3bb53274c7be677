"""The ledger bench runs, on a small scale, and measures what it says."""

import pytest

from bench.ledger import commits, measure, server


async def test_every_figure_comes_out():
    plan = measure.Plan(rounds=1, round_s=2, scale=1, payers=40, streamers=40, entries=1_000)
    figures = await measure.measure(plan)
    assert all(figure.value > 0 for figure in figures)
    compared = [figure for figure in figures if figure.peer is not None]
    assert len(compared) == 8
    assert all(figure.ratio for figure in compared)


def test_pgbenchs_output_is_read():
    output = "number of transactions actually processed: 15605\n…\ntps = 2666.534066 (without …)\n"
    assert server.transactions(output) == (15605, 2666.534066)
    with pytest.raises(ValueError, match="pgbench"):
        server.transactions("tps = ")


def test_a_commit_of_pgbenchs_log_counts_without_its_delay():
    assert commits.latency_ms("0 17 5250 0 1795813661 434000 1250\n") == 4.0
    with pytest.raises(ValueError):
        commits.latency_ms("0 17 5250 0 1795813661 434000\n")
