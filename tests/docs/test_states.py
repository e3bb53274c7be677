"""The diagrams in docs/ARCHITECTURE.md are those of the code."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "states.py"


def test_the_page_is_up_to_date() -> None:
    names = runpy.run_path(str(SCRIPT))
    page = names["PAGE"].read_text("utf-8")
    assert names["render"](page) == page, "run `make states`"
    for table in names["MACHINES"].values():
        for state in table:
            assert f"{state}" in page
