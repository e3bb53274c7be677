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

    owner_url: SecretStr | None = None
    """The same database as the owner of its schemas, who migrates it; left out: `database_url`.
    Then the server works as the owner, too, with rights that it does not need."""

    read_database_url: SecretStr | None = None
    """A read replica of that database, for statements and lists of admins; left out, or while it is
    away or too far behind: the database itself."""

    redis_url: SecretStr | None = None
    """`redis://…` of an external Redis 7+ or Valkey; left out: an embedded one is started."""

    pool_size: int = Field(default=8, ge=2)
    """Most PostgreSQL connections of this process; docs/OPERATIONS.md has the formula."""

    read_max_lag_s: float = Field(default=10.0, gt=0, le=3600)
    """How far the read replica may be behind before the database itself is read."""

    postgres_tools: Path | None = None
    """Folder of pg_dump, pg_restore and psql for backups; left out: those of the embedded
    PostgreSQL, else those on PATH."""

    archive_dir: Path | None = None
    """Folder that the embedded PostgreSQL archives its write-ahead log to, for recovery to any
    point in time; left out: none is archived."""

    archive_timeout_s: int = Field(default=60, ge=1, le=86_400)
    """With `archive_dir`: the longest that something committed waits to be archived."""
