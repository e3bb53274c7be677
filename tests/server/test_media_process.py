import json
import logging

import pytest

from config.telemetry import TelemetrySettings
from server.logs import configure_logging
from server.media_process import command, main, name_records


def test_the_command_hands_the_log_settings_on() -> None:
    given = command(TelemetrySettings(log_level="error", log_format="text"))
    assert given[1:3] == ("-m", "server.media_process")
    assert given[3:] == ("--log-level", "error", "--log-format", "text")


def test_records_carry_the_worker_s_name(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        configure_logging(TelemetrySettings())
        name_records("2")
        logging.getLogger("media").warning("hello")
    finally:
        root.handlers, root.level = before
    assert json.loads(capsys.readouterr().err)["worker"] == "2"


def test_it_needs_a_channel(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--worker", "1"])
    assert "--control-fd" in capsys.readouterr().err
