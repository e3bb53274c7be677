"""Settings of the stores."""

import pytest
from pydantic import SecretStr, ValidationError

from config.stores import StoreSettings


def test_nothing_external_by_default() -> None:
    settings = StoreSettings()
    assert (settings.database_url, settings.redis_url, settings.data_dir) == (None, None, None)


def test_urls_are_secrets() -> None:
    settings = StoreSettings(database_url=SecretStr("postgresql://u:hidden@db/x"))
    assert "hidden" not in repr(settings)


def test_a_pool_of_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="pool_size"):
        StoreSettings(pool_size=1)
