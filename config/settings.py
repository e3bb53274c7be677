"""The root of all settings: one section a part of the product."""

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.aml import AmlSettings
from config.chat import ChatSettings
from config.http import HttpSettings
from config.identity import IdentitySettings
from config.kafka import KafkaSettings
from config.ledger import LedgerSettings
from config.media import MediaSettings
from config.stores import StoreSettings
from config.telemetry import TelemetrySettings

ENV_PREFIX = "SOCIALLIVE_"


class Settings(BaseSettings):
    """Every setting; `config.load` reads it from the environment and a TOML file."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
    )

    http: HttpSettings = Field(default_factory=HttpSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)
    identity: IdentitySettings = Field(default_factory=IdentitySettings)
    ledger: LedgerSettings = Field(default_factory=LedgerSettings)
    aml: AmlSettings = Field(default_factory=AmlSettings)
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    stores: StoreSettings = Field(default_factory=StoreSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which `load` passes as the initial values."""
        return env_settings, init_settings
