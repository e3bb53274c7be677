"""Settings of the Kafka export."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from config.section import Section

SASL = ("SASL_PLAINTEXT", "SASL_SSL")


class KafkaSettings(Section):
    """Where the ledger's events are exported to; nothing is exported without `bootstrap`."""

    bootstrap: str | None = Field(default=None, pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    """`host:port` of one or several brokers, with commas between; also read from
    `KAFKA_BOOTSTRAP`."""

    topic: str = Field(default="sociallive.ledger.events", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    """Topic of the events. Make it beforehand, with as many partitions as its readers need."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to reach the brokers."""

    ca_file: Path | None = None
    """PEM file of the authorities that sign the brokers' certificates; left out: the system's."""

    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """How to sign in, with a SASL protocol."""

    username: str | None = None
    """Who signs in, with a SASL protocol."""

    password: SecretStr | None = None
    """What they sign in with."""

    batch_entries: int = Field(default=8, ge=1, le=100)
    """Entries of the event stream that are in the export's memory at once."""

    request_timeout_s: float = Field(default=10.0, gt=0, le=300)
    """How long a broker may take to answer before it is asked again."""

    longest_backoff_s: float = Field(default=30.0, gt=0, le=300)
    """Longest pause between attempts while Kafka can't be reached or refuses."""

    lease_s: float = Field(default=15.0, ge=1, le=300)
    """How long the exporting node may be silent before another one takes over."""

    @model_validator(mode="after")
    def _sasl_has_a_login(self) -> Self:
        if self.security_protocol in SASL and (self.username is None or self.password is None):
            raise ValueError(f"{self.security_protocol} needs username and password")
        return self
