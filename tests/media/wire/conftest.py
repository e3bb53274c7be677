"""Offers of real clients."""

from collections.abc import Callable
from pathlib import Path

import pytest

OFFERS = Path(__file__).parent / "offers"


@pytest.fixture
def offer_text() -> Callable[[str], str]:
    """An offer by the name of its file, with the line ends of SDP."""
    return lambda name: (OFFERS / f"{name}.sdp").read_text().replace("\n", "\r\n")
