"""Settings of payouts to streamers, and of the sagas that carry them out."""

from typing import Literal, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from config.section import Section

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

MAX_PAYOUT_MINOR = 10**15
"""Most that one payout may move; thousands of such amounts still fit a 64-bit balance."""


class SagaSettings(Section):
    """How steps are done and tried again."""

    poll_s: float = Field(default=1.0, gt=0, le=60)
    """How often events and tasks are looked for when no append of this process asks for it."""

    parallel_steps: int = Field(default=4, ge=1, le=100)
    """Most steps at once; at most one of each payout or purchase."""

    step_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """How long a step may take; then it counts as failed and is tried again."""

    lease_s: float = Field(default=60.0, gt=0, le=3600)
    """How long a step belongs to the process that took it; longer than it may take."""

    most_attempts: int = Field(default=10, ge=1, le=100)
    """How often a step is tried before it is given up and waits for an admin."""

    first_backoff_s: float = Field(default=1.0, gt=0, le=60)
    """Pause after the first failure; each further one doubles it."""

    longest_backoff_s: float = Field(default=600.0, gt=0, le=86_400)
    """Longest pause between two attempts."""

    @model_validator(mode="after")
    def _lease_outlives_step(self) -> Self:
        if self.lease_s <= self.step_timeout_s:
            raise ValueError("lease_s: must be longer than step_timeout_s")
        return self


class HttpProviderSettings(Section):
    """A payment provider that takes payouts over HTTP, as docs/PROTOCOL.md describes."""

    url: HttpUrl | None = None
    """Where its API begins, for instance `https://provider.example/v1`."""

    token: SecretStr | None = None
    """Sent to it as bearer."""

    webhook_secrets: tuple[SecretStr, ...] = Field(default=(), max_length=4)
    """Keys that its webhooks may be signed with: the new one and the old one while they change."""

    timeout_s: float = Field(default=10.0, gt=0, le=120)
    """How long one call may take, answer included."""

    webhook_tolerance_s: float = Field(default=300.0, gt=0, le=3600)
    """How old, or how far in the future, a webhook's time may be."""

    follow_up_s: float = Field(default=3600.0, ge=0.01, le=604_800)
    """After how long without a notice, and how often, it is asked what became of a payout."""

    @field_validator("url")
    @classmethod
    def _is_private(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url is None:
            return None
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("no secret belongs into an address: use http.token")
        if url.scheme != "https" and url.host not in LOOPBACK:
            raise ValueError("use https, or a loopback address")
        return url


class PayoutSettings(Section):
    """Payouts of earnings."""

    maturity_days: int = Field(default=7, ge=0, le=365)
    """After how many days pending earnings become available."""

    maturing_s: float = Field(default=300.0, gt=0, le=86_400)
    """How often it is looked for earnings that have become available."""

    min_minor: int = Field(default=1_000, ge=1, le=MAX_PAYOUT_MINOR)
    """Least that can be asked for at once."""

    max_minor: int = Field(default=10**9, ge=1, le=MAX_PAYOUT_MINOR)
    """Most that can be asked for at once."""

    review_from_minor: int = Field(default=10**7, ge=1, le=MAX_PAYOUT_MINOR)
    """From this amount on an admin must approve a payout, whatever the compliance check says."""

    hold_days: int = Field(default=30, ge=1, le=365)
    """How long an approved payout may wait to be sent before its hold ends and it fails."""

    batch_payouts: int = Field(default=400, ge=1, le=10_000)
    """Most payouts in one exported file, and lines in one file of results; the latter must fit
    `http.max_body_bytes`."""

    provider: Literal["manual", "http"] = "manual"
    """Who pays: an admin with files (manual), or a payment provider's API (http)."""

    http: HttpProviderSettings = HttpProviderSettings()
    """The provider `http`."""

    sagas: SagaSettings = SagaSettings()
    """How the steps of payouts and purchases are done."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.min_minor > self.max_minor:
            raise ValueError("min_minor: must not be above max_minor")
        if self.provider == "http":
            missing = [
                name for name in ("url", "token", "webhook_secrets") if not getattr(self.http, name)
            ]
            if missing:
                raise ValueError(f"http: the provider needs {', '.join(missing)}")
            short = [s for s in self.http.webhook_secrets if len(s.get_secret_value()) < 32]
            if short:
                raise ValueError("http.webhook_secrets: use keys of at least 32 characters")
        return self
