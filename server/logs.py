"""Logs of the process: JSON lines for machines, plain lines for a terminal, one handler.

Every record made while a request is handled carries that request's id. Records never carry tokens,
keys, passwords or addresses of mail; who logs sees to that.
"""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from config.telemetry import TelemetrySettings

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that the current task handles."""

TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "request_id",
}


def configure_logging(settings: TelemetrySettings, stream: TextIO | None = None) -> None:
    """Send every record of the process to `stream` (standard error) in the chosen format."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(add_request_id)
    handler.setFormatter(_FORMATTERS[settings.log_format]())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())


def add_request_id(record: logging.LogRecord) -> bool:
    """Put the id of the running request into `record`; keeps every record."""
    if (request_id := REQUEST_ID.get()) is not None:
        record.request_id = request_id
    return True


class JsonLines(JsonFormatter):
    """One object a line: time, level, logger, message, then the record's own fields."""

    def __init__(self) -> None:
        super().__init__(
            "%(message)s %(levelname)s %(name)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp=False,
        )

    def add_fields(
        self,
        log_data: dict[str, object],
        record: logging.LogRecord,
        message_dict: dict[str, object],
    ) -> None:
        """Put the time first, in the form that the protocol uses."""
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        super().add_fields(log_data, record, message_dict)


class TextLines(logging.Formatter):
    """A line for a person; the record's own fields follow as `name=value`."""

    def __init__(self) -> None:
        super().__init__(TEXT_FORMAT, datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - name of the library
        """The line, and the fields behind it."""
        fields = (
            f" {name}={value}"
            for name, value in record.__dict__.items()
            if name not in STANDARD_FIELDS
        )
        return super().formatMessage(record) + "".join(fields)


_FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": TextLines}
