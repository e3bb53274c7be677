"""How often a server looks for garbage.

Nearly all of it goes by reference counts; the collector looks for cycles, which are few. Every 700
new objects, as Python has it, is some hundred times a second under load, each time with all that
waits for an answer: 4 % of the gifts a second that could be posted.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (20_000, 20, 20)
"""New objects until a look at the young, looks at those until one at the middle-aged, and so on."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within the block the collector looks seldom, and never at what is there by now."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
