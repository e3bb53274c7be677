"""PostgreSQL's own programs: pg_dump, pg_restore, psql, pg_basebackup and pg_verifybackup.

Secrets in a database's address reach them by the environment, never by an argument, which everybody
on the machine can read. An address may have them in its query too, as asyncpg takes it.

ToolFailed
    A program is missing, was not started for its address, or ended with a fault; the message holds
    what it said.
"""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlsplit

from server.embedded.postgres import PostgresMissing, installation

MAX_REPORT_CHARS = 2_000
PASSWORD, PASSPHRASE = "password", "sslpassword"
"""What they are called in the query of an address."""


class ToolFailed(Exception):
    """A program of PostgreSQL could not do its work."""


class Tools:
    """The programs in one folder: those of the embedded PostgreSQL, or what `folder` names."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def path(self, program: str) -> str:
        """Raises ToolFailed."""
        if self._folder is not None:
            found = shutil.which(program, path=self._folder)
        else:
            try:
                found = shutil.which(program, path=installation() / "bin")
            except PostgresMissing:
                found = shutil.which(program)
        if found is None:
            raise ToolFailed(
                f"{program} was not found. Install PostgreSQL's client programs, and name their "
                "folder in stores.postgres_tools."
            )
        return found

    async def run(self, program: str, arguments: Sequence[str], url: str) -> None:
        """Run it on the database at `url`. Raises ToolFailed."""
        await self._finish([(self._on(url, program, arguments), url)])

    async def run_alone(self, program: str, arguments: Sequence[str]) -> None:
        """Run it without a database. Raises ToolFailed."""
        await self._finish([([self.path(program), *arguments], "")])

    async def output(self, program: str, arguments: Sequence[str]) -> str:
        """What it prints, run without a database. Raises ToolFailed."""
        with tempfile.TemporaryFile() as printed:
            await self._finish([([self.path(program), *arguments], "")], printed)
            printed.seek(0)
            return printed.read().decode("utf-8", "surrogateescape")

    async def pipe(
        self, source: Sequence[str], program: str, arguments: Sequence[str], url: str
    ) -> None:
        """Run `source`, a whole command, into the program on the database. Raises ToolFailed."""
        await self._finish([([*source], url), (self._on(url, program, arguments), url)])

    def _on(self, url: str, program: str, arguments: Sequence[str]) -> list[str]:
        """The whole command on the database at `url`. Raises ToolFailed."""
        _refuse_passphrase(url)
        return [self.path(program), *arguments, f"--dbname={without_password(url)}"]

    async def _finish(
        self, commands: Sequence[tuple[list[str], str]], printed: IO[bytes] | None = None
    ) -> None:
        await asyncio.to_thread(_finish, commands, printed)


def _finish(commands: Sequence[tuple[list[str], str]], printed: IO[bytes] | None) -> None:
    """Run the commands, each into the next one, the last one into `printed`. Raises ToolFailed."""
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as said:
        for command, url in commands:
            is_last = len(processes) == len(commands) - 1
            before = processes[-1].stdout if processes else None
            processes.append(
                subprocess.Popen(  # noqa: S603
                    command,
                    stdin=before or subprocess.DEVNULL,
                    stdout=(printed or subprocess.DEVNULL) if is_last else subprocess.PIPE,
                    stderr=said,
                    env={"PGPASSWORD": password_of(url), "PGCONNECT_TIMEOUT": "10"},
                )
            )
            if before is not None:
                before.close()  # so that the first notices when the second ends
        statuses = [process.wait() for process in processes]
        if any(statuses):
            said.seek(0)
            names = ", ".join(Path(command[0]).name for command, _ in commands)
            report = said.read().decode("utf-8", "replace").strip()
            raise ToolFailed(f"{names} failed:\n{report[-MAX_REPORT_CHARS:]}")


def without_password(url: str) -> str:
    """The address as it may stand in the list of processes."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    kept = "&".join(each for each in parts.query.split("&") if _name_of(each) != PASSWORD)
    # urlunsplit leaves the slashes of an empty host out, without which it is no address to libpq.
    address = f"{parts.scheme}://{login.partition(':')[0]}{at}{host}{parts.path}"
    return f"{address}?{kept}" if kept else address


def password_of(url: str) -> str:
    """Empty where there is none; one before the host goes before one in the query."""
    parts = urlsplit(url)
    return unquote(parts.password or "") or dict(parse_qsl(parts.query)).get(PASSWORD, "")


def _refuse_passphrase(url: str) -> None:
    """libpq takes that of a client key by an argument or a file alone. Raises ToolFailed."""
    if any(_name_of(each) == PASSPHRASE for each in urlsplit(url).query.split("&")):
        raise ToolFailed(
            f"The database's address holds {PASSPHRASE}, which PostgreSQL's programs would show in"
            " the list of processes. For backups use an address whose sslkey has no passphrase, in"
            " a file that only its owner can read."
        )


def _name_of(parameter: str) -> str:
    return unquote(parameter.partition("=")[0].replace("+", " "))
