"""The media bench runs, on a small scale, and measures what it says."""

import pytest

import bench.media


def test_every_figure_comes_out(monkeypatch):
    monkeypatch.setattr(bench.media, "VIEWERS", 2)
    monkeypatch.setattr(bench.media, "RUNS", 1)
    figures = bench.media.measure()
    assert all(figure.value > 0 for figure in figures)
    compared = [figure for figure in figures if figure.peer is not None]
    assert len(compared) == 6
    assert all(figure.ratio for figure in compared)


@pytest.mark.parametrize("burst", [1, 3, 10])
def test_a_second_of_the_stream_is_two_and_a_half_megabits(burst):
    batches = bench.media.Publisher().second(burst=burst)
    packets = [packet for batch in batches for packet in batch]
    assert len(packets) == bench.media.PACKETS_PER_S
    assert sum(map(len, packets)) * 8 == pytest.approx(2_500_000, rel=0.05)
    assert max(map(len, batches)) == burst
    assert len(set(packets)) == len(packets)
