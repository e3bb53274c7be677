"""Settings of PostgreSQL, Redis and the data folder."""

from pathlib import Path

from pydantic import Field, SecretStr

from config.section import Section


class StoreSettings(Section):
    """Where things are kept."""

    data_dir: Path | None = None
    """Folder of the embedded stores and of keys; left out: `.data`, see `server.data_dir`."""

    database_url: SecretStr | None = None
    """`postgresql://…` of an external PostgreSQL 15+; left out: an embedded one is started."""

    redis_url: SecretStr | None = None
    """`redis://…` of an external Redis 7+ or Valkey; left out: an embedded one is started."""

    pool_size: int = Field(default=8, ge=2)
    """Most PostgreSQL connections of this process."""
