"""What the subcommands do."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Settings
from config.stores import StoreSettings
from identity.errors import EmailTaken
from identity.roles import Role
from server.commands import StartRefused, add_user, migrate_database


@pytest.fixture
def settings(database_url: str, redis_url: str, data_dir: Path) -> Settings:
    stores = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    return Settings(stores=stores)


async def test_an_account_is_made_once(settings: Settings) -> None:
    for roles, expected in ((frozenset({Role.ADMIN}), {Role.ADMIN}), (frozenset(), {Role.VIEWER})):
        user = await add_user(
            settings,
            email=f"{len(roles)}@example.com",
            password="correct horse battery",
            display_name="Ada",
            roles=roles,
        )
        assert user.roles == expected
    with pytest.raises(EmailTaken):
        await add_user(
            settings,
            email="0@example.com",
            password="correct horse battery",
            display_name="Ada",
            roles=frozenset(),
        )


async def test_migrating_again_does_nothing(settings: Settings) -> None:
    assert await migrate_database(settings) == ()


@pytest.mark.parametrize("store", ["database_url", "redis_url"])
async def test_a_store_that_is_away_is_explained(settings: Settings, store: str) -> None:
    url = {"database_url": "postgresql://x@127.0.0.1:1/x", "redis_url": "redis://127.0.0.1:1"}[
        store
    ]
    away = settings.stores.model_copy(update={store: SecretStr(url)})
    with pytest.raises(StartRefused) as caught:
        await migrate_database(Settings(stores=away))
    assert "refused" in str(caught.value).lower()
