"""The manifest of a backup: what is in it, and the checksums that tell whether it is whole.

backup/
  manifest.json   this; written last, so that a backup without it is none
  database.dump   pg_dump's custom format: every schema of the product, and nothing of roles
  keys/           with `--keys`, in a folder of its own: keys that sign tokens and checkpoints

BackupDamaged
    The backup is not whole, or not one that this version knows.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
CHUNK_BYTES = 2**20


class BackupDamaged(Exception):
    """The backup can't be restored; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; the figures of the ledger are of the same moment as the dump."""

    format: int
    version: str
    """Of the product that made it."""
    made_at: str
    postgresql: str
    ledger_sequence: int
    """The last batch of the ledger's log."""
    ledger_transactions: int
    ledger_entries: int
    migrations: list[str]
    """Those that were applied: domain/number."""
    sha256: Mapping[str, str]
    """By file."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup whose files are as they were written. Raises BackupDamaged."""
    try:
        values: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
        manifest = Manifest(**values)
    except OSError as error:
        raise BackupDamaged(f"{folder} is no backup: {error}") from None
    except (TypeError, ValueError) as error:
        raise BackupDamaged(f"{folder / MANIFEST} can't be read: {error}") from None
    if manifest.format != FORMAT:
        raise BackupDamaged(
            f"{folder} has the format {manifest.format}, this version knows {FORMAT}."
        )
    if DUMP not in manifest.sha256:
        raise BackupDamaged(f"{folder / MANIFEST} names no {DUMP}.")
    for name, expected in manifest.sha256.items():
        try:
            found = sha256(folder / name)
        except OSError as error:
            raise BackupDamaged(f"{folder / name} can't be read: {error.strerror}") from None
        if found != expected:
            raise BackupDamaged(f"{folder / name} was changed, or is damaged: its SHA-256 differs.")
    return manifest


def sha256(path: Path) -> str:
    """Hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def checksums(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of these files, by name."""
    return {name: sha256(folder / name) for name in names}
