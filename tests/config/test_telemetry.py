"""Settings of logs."""

import pytest
from pydantic import ValidationError

from config.telemetry import TelemetrySettings


def test_logs_are_for_machines_by_default() -> None:
    assert TelemetrySettings() == TelemetrySettings(log_level="info", log_format="json")


@pytest.mark.parametrize("wrong", [{"log_level": "loud"}, {"log_format": "xml"}], ids=str)
def test_other_words_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TelemetrySettings.model_validate(wrong)
