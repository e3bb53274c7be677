"""A media worker as a process of its own: `python -m server.media_process`, run by the pool.

Its logs go to standard error, which is the server's, in the server's format, with its name.
"""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence

import uvloop

from config.telemetry import TelemetrySettings
from media.pool.service import serve_worker
from media.prompt import promptly
from server.logs import configure_logging


def command(telemetry: TelemetrySettings) -> tuple[str, ...]:
    """What the pool runs; it adds the worker's name and the inherited control channel."""
    return (
        *(sys.executable, "-m", "server.media_process"),
        *("--log-level", telemetry.log_level, "--log-format", telemetry.log_format),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until the control channel says stop, or is gone."""
    parser = argparse.ArgumentParser(prog="media_process", description=__doc__)
    parser.add_argument("--worker", required=True, help="the name of this worker")
    parser.add_argument("--control-fd", required=True, type=int, help="an inherited stream socket")
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--log-format", default="json")
    arguments = parser.parse_args(argv)
    configure_logging(
        TelemetrySettings(log_level=arguments.log_level, log_format=arguments.log_format)
    )
    name_records(arguments.worker)
    control = socket.socket(fileno=arguments.control_fd)
    os.set_inheritable(control.fileno(), False)
    with promptly(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_worker(control))


def name_records(worker: str) -> None:
    """Put the worker's name into every record of this process."""

    def add_worker(record: logging.LogRecord) -> bool:
        record.worker = worker
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(add_worker)


if __name__ == "__main__":
    main()
