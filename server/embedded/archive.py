"""Continuous archiving of the embedded PostgreSQL: its write-ahead log, file by file."""

import shlex
from pathlib import Path

from config.stores import StoreSettings
from server.embedded.account import Account


def archiving(settings: StoreSettings, account: Account) -> dict[str, str]:
    """Server settings that archive to `stores.archive_dir`; none where there is no such folder."""
    if settings.archive_dir is None:
        return {}
    folder = settings.archive_dir.absolute()
    account.own(folder)
    return {
        "archive_mode": "on",
        "archive_timeout": f"{settings.archive_timeout_s}s",
        "archive_command": archive_command(folder),
    }


def archive_command(folder: Path) -> str:
    """Copies a file under another name, syncs it, and renames it: a half copy is never taken.

    PostgreSQL's rules for it (documentation, 25.3.1): never overwrite a file, fail where it could
    not be done, succeed where the same file is there already (after a crash).
    """
    there, partial = (shlex.quote(str(folder)) + f"/%f{suffix}" for suffix in ("", ".partial"))
    return (
        f"if test -f {there}; then cmp -s %p {there}; "
        f"else cp %p {partial} && sync {partial} && mv {partial} {there}; fi"
    )


def restore_command(*folders: Path) -> str:
    """Fetches a file at recovery, from the first of the folders that has it."""
    return " || ".join(f"cp {shlex.quote(str(folder))}/%f %p" for folder in folders)
