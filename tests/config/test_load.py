"""Settings from the environment, a TOML file and the defaults."""

from pathlib import Path

import pytest

from config.load import MASK, SettingsError, effective, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL", "SOCIALLIVE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_listen_on_the_loopback_address_alone() -> None:
    settings = load_settings()
    assert settings.http.host == settings.chat.host == settings.media.bind_host == "127.0.0.1"


def test_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sociallive.toml").write_text("[media]\nudp_port = 7100\nmax_viewers = 7\n")
    monkeypatch.setenv("SOCIALLIVE_MEDIA__UDP_PORT", "7200")
    settings = load_settings()
    assert settings.media.udp_port == 7200
    assert settings.media.max_viewers == 7


def test_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[chat]\nport = 9000\n")
    monkeypatch.setenv("SOCIALLIVE_CONFIG", str(file))
    assert load_settings().chat.port == 9000


@pytest.mark.parametrize("text", ["192.0.2.1, 192.0.2.2", '["192.0.2.1", "192.0.2.2"]'])
def test_a_variable_may_hold_a_list(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOCIALLIVE_MEDIA__PUBLIC_ADDRESSES", text)
    assert load_settings().media.public_addresses == ("192.0.2.1", "192.0.2.2")


def test_well_known_urls_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden@db/x")
    url = load_settings().stores.database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql://u:hidden@db/x"


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sociallive.toml").write_text("[media]\nmax_viewers = 0\n[nowhere]\nx = 1\n")
    monkeypatch.setenv("SOCIALLIVE_MEDIA__UDP_PORT", "99999")
    monkeypatch.setenv("SOCIALLIVE_CHAT__NO_SUCH", "1")
    monkeypatch.setenv("SOCIALLIVE_TYPO", "1")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    report = str(caught.value)
    for part in (
        "SOCIALLIVE_MEDIA__UDP_PORT",
        "SOCIALLIVE_MEDIA__MAX_VIEWERS",
        "SOCIALLIVE_CHAT__NO_SUCH",
        "SOCIALLIVE_TYPO",
        "nowhere",
    ):
        assert part in report
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize(
    ("content", "complaint"), [("[media\n", "is not TOML"), (None, "can't be read")]
)
def test_a_bad_file_is_named(tmp_path: Path, content: str | None, complaint: str) -> None:
    file = tmp_path / "given.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=complaint) as caught:
        load_settings(file)
    assert "given.toml" in str(caught.value)


def test_secrets_are_masked_when_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hidden@cache/0")
    shown = effective(load_settings())
    assert shown["stores"]["redis_url"] == MASK
    assert shown["stores"]["database_url"] is None
    assert "hidden" not in repr(shown)
