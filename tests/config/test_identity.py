"""Settings of identity."""

import pytest
from pydantic import ValidationError

from config.identity import IdentitySettings


def test_the_defaults_are_those_of_the_protocol() -> None:
    settings = IdentitySettings()
    assert settings.access_token_ttl_s == 15 * 60
    assert settings.refresh_token_ttl_s == 7 * 24 * 3600
    assert settings.max_sessions == 5
    assert settings.registration_roles == ("viewer",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"registration_roles": ["viewer", "admin"]},
        {"registration_roles": ["moderator"]},
        {"registration_roles": []},
        {"argon2_memory_kib": 1024},
        {"access_token_ttl_s": 0},
        {"issuer": ""},
        {"max_sessions": 0},
    ],
    ids=str,
)
def test_what_would_weaken_every_account_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IdentitySettings.model_validate(wrong)
