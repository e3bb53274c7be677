"""The account that the stores run as."""

import os
from pathlib import Path

from server.embedded.account import Account, store_account

OURSELVES = Account(uid=None, gid=None)


def test_the_stores_never_run_as_root() -> None:
    account = store_account()
    assert (account.uid is None) == (os.geteuid() != 0)
    assert account.uid != 0


def test_a_folder_is_copied_where_the_account_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    original = closed / "binaries"
    original.mkdir(parents=True)
    (original / "server").write_text("binary")
    closed.chmod(0o700)
    stranger = Account(uid=65534, gid=65534)
    copy = stranger.reachable(original, tmp_path / "copy.1")
    assert copy == tmp_path / "copy.1"
    assert (copy / "server").read_text() == "binary"
    assert stranger.reachable(original, copy) == copy
    assert OURSELVES.reachable(original, tmp_path / "unused") == original
    assert not (tmp_path / "unused").exists()


def test_a_private_file_is_gone_afterwards() -> None:
    with store_account().private_file("word") as path:
        assert path.read_text() == "word"
        assert path.stat().st_mode & 0o077 == 0
    assert not path.exists()
