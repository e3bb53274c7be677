"""The data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.embedded import folder as module
from server.embedded.account import Account
from server.embedded.folder import DataFolder, DataFolderBusy, default_data_dir


async def test_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    await first.acquire()
    with pytest.raises(DataFolderBusy, match="SOCIALLIVE_STORES__DATA_DIR"):
        await second.acquire(patience_s=0)
    first.release()
    await second.acquire(patience_s=0)
    second.release()


async def test_a_child_that_inherited_the_lock_keeps_it(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    await first.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(first.lock,)
    )
    first.release()
    with pytest.raises(DataFolderBusy):
        await second.acquire(patience_s=0)
    child.communicate(b"\n")
    await second.acquire(patience_s=5)
    second.release()


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    secret = DataFolder(tmp_path).secret("redis")
    assert len(secret) >= 43  # 256 bits in base64
    assert DataFolder(tmp_path).secret("redis") == secret
    assert DataFolder(tmp_path).secret("other") != secret
    assert (tmp_path / "secrets" / "redis").stat().st_mode & 0o077 == 0
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_the_default_folder_can_be_entered_by_the_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "store_account", lambda: Account(uid=65534, gid=65534))
    tmp_path.chmod(0o700)
    assert default_data_dir().parent == module.SHARED_ROOT
    monkeypatch.setattr(module, "store_account", lambda: Account(uid=None, gid=None))
    assert default_data_dir() == tmp_path / ".data"
    assert os.getcwd() == str(tmp_path)
