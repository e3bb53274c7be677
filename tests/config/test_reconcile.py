"""The format of a settlement file is declared, and a declaration that makes no sense is refused."""

import pytest
from pydantic import ValidationError

from config.reconcile import SettlementFormat


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
