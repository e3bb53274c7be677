import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context
from datetime import datetime
from typing import Any, Literal

import pytest

from config.telemetry import TelemetrySettings
from server.logs import REQUEST_ID, configure_logging

logger = logging.getLogger("some.part")


@pytest.fixture(autouse=True)
def own_root() -> Iterator[None]:
    """Logging is the process's; put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def configured(
    log_format: Literal["json", "text"] = "json",
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(TelemetrySettings(log_format=log_format, log_level=level), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_object_with_its_fields() -> None:
    stream = configured()
    logger.info("%s done", "work", extra={"stream_id": "7", "count": 2})
    (line,) = lines(stream)
    moment = line.pop("time")
    assert moment.endswith("Z")
    assert datetime.fromisoformat(moment).tzinfo is not None
    assert line == {
        "message": "work done",
        "level": "INFO",
        "logger": "some.part",
        "stream_id": "7",
        "count": 2,
    }


def test_the_request_s_id_is_in_its_records_alone() -> None:
    stream = configured()

    def handle_request() -> None:
        REQUEST_ID.set("request-1")
        logger.info("inside")

    copy_context().run(handle_request)
    logger.info("outside")
    assert [line.get("request_id") for line in lines(stream)] == ["request-1", None]


def test_faults_keep_to_one_line() -> None:
    stream = configured()
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("it failed\nbadly")
    (line,) = lines(stream)
    assert "ValueError: two\nlines" in line["exc_info"]
    assert line["message"] == "it failed\nbadly"


def test_the_level_is_kept() -> None:
    stream = configured(level="warning")
    logger.info("little")
    logger.warning("much")
    assert [line["message"] for line in lines(stream)] == ["much"]


def test_a_person_reads_a_line_with_its_fields() -> None:
    stream = configured("text")
    logger.warning("look", extra={"stream_id": "7"})
    assert stream.getvalue().endswith("WARNING some.part: look stream_id=7\n")
