import pytest
from pydantic import ValidationError

from config.kafka import KafkaSettings
from config.load import load_settings


def test_nothing_is_exported_by_default() -> None:
    assert KafkaSettings().bootstrap is None


def test_the_well_known_variable_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka-1:9092,kafka-2:9092")
    assert load_settings().kafka.bootstrap == "kafka-1:9092,kafka-2:9092"


@pytest.mark.parametrize("bootstrap", ["", "kafka", "kafka:9092,", "kafka:9092 other:9092"])
def test_brokers_are_named_with_their_ports(bootstrap: str) -> None:
    with pytest.raises(ValidationError):
        KafkaSettings(bootstrap=bootstrap)


def test_signing_in_takes_a_login() -> None:
    with pytest.raises(ValidationError, match="needs username and password"):
        KafkaSettings(security_protocol="SASL_SSL", username="sociallive")
    KafkaSettings(security_protocol="SASL_SSL", username="sociallive", password="x")
