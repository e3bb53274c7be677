"""The format of a settlement file is declared, and a declaration that makes no sense is refused."""

import pytest
from pydantic import ValidationError

from config.reconcile import ReconcileSettings, SettlementFormat


@pytest.mark.parametrize(
    "fields",
    [
        {"delimiter": ""},
        {"delimiter": ",,"},
        {"encoding": "utf-16"},
        {"decimal_separator": " "},
        {"amount_in": "euros"},
        {"currency": "usd"},
        {"max_lines": 0},
        {"unknown": 1},
    ],
)
def test_a_format_that_makes_no_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        SettlementFormat(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"every_s": 0},
        {"inbox": ""},
        {"providers": {"../etc": {}}},
        {"providers": {"a:b": {}}},
        {"scales": {"EUR": -1}},
        {"most_parts": 0},
        {"amount_tolerance_minor": -1},
        {"date_tolerance_days": 61},
    ],
)
def test_settings_that_make_no_sense_are_refused(fields):
    with pytest.raises(ValidationError):
        ReconcileSettings(**fields)
