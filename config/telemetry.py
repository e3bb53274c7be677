"""Settings of logs."""

from typing import Literal

from config.section import Section


class TelemetrySettings(Section):
    """Logs."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least level that is logged."""

    log_format: Literal["json", "text"] = "json"
    """`json`: one object a line. `text`: for a person at a terminal."""
