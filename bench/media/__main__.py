"""All figures of the media plane: `python -m bench.media`, or `... tight` and `... paced` alone."""

import sys
from collections.abc import Callable

from bench.media import paced_figures, tight
from bench.report import Figure, report

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "tight": tight.measure,
    "paced": paced_figures.measure,
}

wanted = sys.argv[1:] or list(PARTS)
report("media", [figure for name in wanted for figure in PARTS[name]()])
