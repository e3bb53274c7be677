"""The data folder: who owns it, its lock, and the secrets kept in it.

data_dir/
  lock                held by the server and inherited by the stores: one owner at a time
  secrets/            one file a secret, readable by the server alone
  postgres/ redis/    the stores' own folders
"""

import asyncio
import fcntl
import hashlib
import os
import secrets
from pathlib import Path

from server.embedded.account import store_account

SHARED_ROOT = Path("/var/lib/sociallive")
LOCK_PATIENCE_S = 20.0


class DataFolderBusy(Exception):
    """Another server holds the data folder."""


def default_data_dir() -> Path:
    """`.data` in the working folder.

    Under root it must be enterable by the stores' unprivileged account; where it is not (a working
    folder below /root), it is a folder of its own under /var/lib/sociallive.
    """
    here = Path.cwd() / ".data"
    if store_account().can_enter(here):
        return here
    return SHARED_ROOT / hashlib.sha256(str(here).encode()).hexdigest()[:12]


class DataFolder:
    """A data folder that this process has for itself."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.mkdir(parents=True, exist_ok=True)
        self._secrets = self.path / "secrets"
        self._secrets.mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @property
    def lock(self) -> int:
        """The descriptor that children inherit, so that the lock ends with the last of them."""
        return self._lock

    async def acquire(self, patience_s: float = LOCK_PATIENCE_S) -> None:
        """Take the lock; after a crash this waits until the old stores have ended.

        Raises DataFolderBusy when another server keeps it for longer than `patience_s`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if loop.time() >= deadline:
                    raise DataFolderBusy(
                        f"{self.path} is in use by another server. Stop it first, or set "
                        "SOCIALLIVE_STORES__DATA_DIR to another folder."
                    ) from None
                await asyncio.sleep(0.1)
            else:
                return

    def release(self) -> None:
        """Give up the lock; the folder object can't be used afterwards."""
        os.close(self._lock)

    def secret(self, name: str, *, bytes_of_entropy: int = 32) -> str:
        """The secret of that name, made on first use."""
        path = self._secrets / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text("ascii")
        value = secrets.token_urlsafe(bytes_of_entropy)
        with os.fdopen(handle, "w") as file:
            file.write(value)
        return value
