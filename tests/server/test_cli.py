"""The command line."""

import io
import tomllib
from pathlib import Path

import pytest

from server.cli import COMMANDS, main


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL", "SOCIALLIVE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_settings_are_shown_as_toml_with_secrets_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden@db/x")
    main(["config", "show"])
    output = capsys.readouterr().out
    shown = tomllib.loads(output)
    assert shown["media"]["udp_port"] == 7000
    assert shown["ledger"]["gifts"][0]["gift_id"] == "rose"
    assert shown["stores"]["database_url"] == "********"
    assert "hidden" not in output


def test_what_is_shown_can_be_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "show"])
    first = capsys.readouterr().out
    file = tmp_path / "copy.toml"
    file.write_text(first)
    main(["--config", str(file), "config", "show"])
    assert capsys.readouterr().out == first


def test_bad_settings_end_with_a_list_of_faults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOCIALLIVE_HTTP__PORT", "none")
    monkeypatch.setenv("SOCIALLIVE_NONSENSE", "1")
    with pytest.raises(SystemExit) as caught:
        main(["up"])
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert "SOCIALLIVE_HTTP__PORT" in errors
    assert "SOCIALLIVE_NONSENSE" in errors


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*words, "--help"])
    assert caught.value.code == 0
    assert " ".join(words) in capsys.readouterr().out


def test_a_user_is_added_with_the_password_from_standard_input(
    database_url: str,
    redis_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SOCIALLIVE_STORES__DATA_DIR", str(data_dir))
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    main(["user", "add", "ada@example.com", "--name", "Ada", "--role", "admin"])
    assert "ada@example.com admin" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(SystemExit) as caught:
        main(["user", "add", "bob@example.com", "--name", "Bob"])
    assert caught.value.code == 1
    assert "password" in capsys.readouterr().err.lower()
