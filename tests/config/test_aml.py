"""The settings of the checks hold together."""

import pytest
from pydantic import ValidationError

from config.aml import AmlSettings


@pytest.mark.parametrize(
    ("threshold", "percent", "floor"), [(100_000, 80, 80_000), (101, 80, 81), (100, 99, 99)]
)
def test_the_floor_is_rounded_up(threshold: int, percent: int, floor: int) -> None:
    settings = AmlSettings(structuring_threshold_minor=threshold, structuring_floor_percent=percent)
    assert settings.structuring_floor_minor == floor


def test_history_must_hold_what_rules_count() -> None:
    with pytest.raises(ValidationError, match="history_per_payer must be above 200"):
        AmlSettings(velocity_max_gifts=200)


@pytest.mark.parametrize(
    "field",
    [
        {"circular_window_s": 5_000},
        {"circular_max_length": 1},
        {"retention_s": 86_400},
        {"alert_score": 0},
        {"structuring_floor_percent": 100},
    ],
)
def test_bounds(field: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        AmlSettings.model_validate(field)
