"""The collector's settings, and that cycles still go."""

import gc
import weakref

from server.garbage import THRESHOLDS, seldom_collected


class Loop:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


def test_it_is_as_before_behind_the_block() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with seldom_collected():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > before[1]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_cycles_go_by_themselves_all_the_same() -> None:
    with seldom_collected():
        gone = weakref.ref(Loop())
        kept = []
        while gone() is not None:
            kept.append([])
            assert len(kept) <= 2 * THRESHOLDS[0]
