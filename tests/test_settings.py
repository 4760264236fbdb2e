from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SettingsError, load_settings


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    assert settings.port == 8080 and settings.host == "127.0.0.1"
    assert not settings.telegram_token.get_secret_value()


def test_the_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yaml").write_text("port: 9000\nhost: 0.0.0.0\n")
    assert load_settings(data=tmp_path).port == 9000
    monkeypatch.setenv("SUIFAWEN_PORT", "9001")
    settings = load_settings(data=tmp_path)
    assert settings.port == 9001 and settings.host == "0.0.0.0"
    assert load_settings(data=tmp_path, port=9002).port == 9002


@pytest.mark.parametrize(
    "text",
    ["port: many\n", "prot: 1\n", "- 1\n", "port: [\n", "port: 99999\n", "public_url: ftp://x\n"],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"settings\.yaml"):
        load_settings(data=tmp_path)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, telegram_token="123:hush-hush")
    assert "hush" not in repr(settings)
