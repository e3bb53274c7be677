"""The tight loops of the media bench run, on a small scale, and measure what they say."""

import pytest

from bench.media import tight


def test_every_figure_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tight, "VIEWERS", 2)
    monkeypatch.setattr(tight, "RUNS", 1)
    figures = tight.measure()
    assert all(figure.value > 0 for figure in figures if "in the kernel" not in figure.figure)
    compared = [figure for figure in figures if figure.peer is not None]
    assert len(compared) >= 6
    assert all(figure.ratio for figure in compared)
