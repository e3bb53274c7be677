"""All figures of the media plane: `python -m bench.media`."""

from bench.media.tight import measure
from bench.report import report

report("media", measure())
