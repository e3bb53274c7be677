"""Figures drawn from gifts."""

import pytest

from compliance.aml.features import Circle


@pytest.mark.parametrize(
    ("least", "greatest", "percent"),
    [(100, 100, 100), (70, 100, 70), (1, 3, 33), (1, 1_000, 0), (999, 1_000, 99)],
)
def test_a_circle_returns_its_least_hop_as_a_share_of_its_greatest(
    least: int, greatest: int, percent: int
) -> None:
    assert Circle((), least, greatest).return_percent == percent
