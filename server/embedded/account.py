"""The operating-system account that the embedded stores run as.

PostgreSQL refuses to run as root. Started as root, the stores run as `nobody`; started by an
ordinary user, they run as that user.
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a child process runs as; `None` where it is who we are."""

    uid: int | None
    gid: int | None

    def own(self, folder: Path) -> None:
        """Make `folder` and hand it to the account, closed to everyone else."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    @contextmanager
    def private_file(self, content: str) -> Iterator[Path]:
        """A file that only the account can read, for as long as the block runs."""
        with tempfile.NamedTemporaryFile("w") as file:  # made with mode 0600
            if self.uid is not None and self.gid is not None:
                os.chown(file.name, self.uid, self.gid)
            file.write(content)
            file.flush()
            yield Path(file.name)

    def can_enter(self, path: Path) -> bool:
        """Whether every folder above `path` lets the account through."""
        return self.uid is None or all(
            parent.stat().st_mode & 0o001 for parent in path.absolute().parents if parent.exists()
        )

    def reachable(self, folder: Path, copy_to: Path) -> Path:
        """`folder`, or a copy of it in `copy_to` where the account can't enter the original."""
        if self.can_enter(folder):
            return folder
        if not copy_to.exists():
            partial = copy_to.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(folder, partial, symlinks=True)
            partial.rename(copy_to)
        return copy_to


def store_account() -> Account:
    """The account to run the stores as.

    Raises KeyError as root on a system without the account `nobody`.
    """
    if os.geteuid() != 0:
        return Account(uid=None, gid=None)
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
