"""The settings of an installation, all with defaults: nothing has to be set to run.

Read, in this order of precedence, from the environment (`SUIFAWEN_DATA`, …) and from
`DATA/settings.yaml`. A wrong value stops the start with a message that names the setting.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from kb.yamlfile import explain

FILE = "settings.yaml"


class SettingsError(Exception):
    """A setting is wrong; the message names it and says what it can be."""


class Settings(BaseSettings):
    """See README.zh-CN.md for what each is for."""

    model_config = SettingsConfigDict(env_prefix="SUIFAWEN_", extra="forbid", frozen=True)

    data: Path = Path("data")
    """Everything of this installation: database, keys, bundles, the operator's knowledge."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = Field(default="", pattern=r"^(?:https?://[^\s/]+(?:/\S*)?)?$")
    """How citizens reach it, `https://…`; makes cookies secure. Empty: http on this machine."""
    proxies: int = Field(default=0, ge=0, le=5)
    """How many proxies of ours stand before it: the client's address is then read from
    X-Forwarded-For at that place from the right, and nowhere else."""
    encoder: str = ""
    """A sentence-transformers model to use instead of the shipped one: a folder or a hub name."""
    telegram_token: SecretStr = SecretStr("")
    telegram_webhook_url: str = ""
    """Empty: long polling."""
    telegram_webhook_secret: SecretStr = SecretStr("")
    telegram_base_url: str = ""
    """Another Bot API server, for example a local one; empty: the public one."""
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @property
    def database(self) -> Path:
        return self.data / "suifawen.db"

    @property
    def contact_key(self) -> Path:
        """Apart from the database, so that a backup of one never holds the other."""
        return self.data / "keys" / "contact.key"

    @property
    def bundles(self) -> Path:
        return self.data / "bundles"

    @property
    def statutes(self) -> Path:
        """Statutes that the operator has imported in full."""
        return self.data / "statutes"

    @property
    def knowledge(self) -> Path:
        """The operator's layer of the knowledge base."""
        return self.data / "kb"


def load_settings(**overrides: Any) -> Settings:
    """Return the settings. ``overrides`` (command line) go before the environment.

    Raises `SettingsError`.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    data = Path(given.get("data") or os.environ.get("SUIFAWEN_DATA") or "data")
    path = data / FILE
    values: dict[str, Any] = {}
    if path.exists():
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"设置文件 {path} 读不懂：{error}") from error
        if loaded is not None and not isinstance(loaded, dict):
            raise SettingsError(f"设置文件 {path} 应当每行写一项，例如 port: 8080")
        values = loaded or {}
    prefix = str(Settings.model_config["env_prefix"])
    values = {k: v for k, v in values.items() if f"{prefix}{k}".upper() not in os.environ}
    try:
        return Settings(**{**values, "data": data, **given})
    except ValidationError as error:
        lines = "\n".join(f"  {explain(e)}" for e in error.errors(include_url=False))
        raise SettingsError(
            f"设置不对，请检查环境变量 SUIFAWEN_… 和 {path}（写法见 README.zh-CN.md）：\n{lines}"
        ) from error
