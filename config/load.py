"""Reading the settings: the environment over a TOML file over the defaults.

- `SOCIALLIVE_<SECTION>__<FIELD>` sets one field: `SOCIALLIVE_MEDIA__UDP_PORT=7100`.
- `DATABASE_URL` and `REDIS_URL` are taken for `stores.database_url` and `stores.redis_url`, and
  `KAFKA_BOOTSTRAP` for `kafka.bootstrap`.
- The file is `sociallive.toml` in the working folder, or what `SOCIALLIVE_CONFIG` names.

SettingsError
    What is wrong, all of it at once.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.settings import ENV_PREFIX, Settings

CONFIG_FILE_VARIABLE = f"{ENV_PREFIX}CONFIG"
DEFAULT_FILE = Path("sociallive.toml")
WELL_KNOWN = {
    "DATABASE_URL": ("stores", "database_url"),
    "REDIS_URL": ("stores", "redis_url"),
    "KAFKA_BOOTSTRAP": ("kafka", "bootstrap"),
}
MASK = "********"


class SettingsError(Exception):
    """The settings can't be used; `problems` has one sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load_settings(file: Path | None = None) -> Settings:
    """The effective settings.

    Raises SettingsError with every fault in the environment and the file.
    """
    problems = [*_unknown_variables(os.environ)]
    values: dict[str, Any] = {}
    try:
        values = _read_file(file)
    except SettingsError as error:
        problems += error.problems
    for name, (section, field) in WELL_KNOWN.items():
        fields = values.setdefault(section, {})
        if os.environ.get(name) and isinstance(fields, dict):
            fields[field] = os.environ[name]
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += _sentences(error)
    if problems:
        raise SettingsError(problems)
    return settings


def effective(settings: Settings) -> dict[str, dict[str, Any]]:
    """Sections and fields as plain values, secrets masked, for people to look at."""
    shown: dict[str, dict[str, Any]] = settings.model_dump(mode="json")
    for section, fields in settings.model_dump().items():
        for name, value in fields.items():
            if hasattr(value, "get_secret_value"):
                shown[section][name] = MASK
    return shown


def _read_file(file: Path | None) -> dict[str, Any]:
    variable = os.environ.get(CONFIG_FILE_VARIABLE)
    named = file or (Path(variable) if variable else None)
    path = named or DEFAULT_FILE
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError([f"{path}: can't be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: is not TOML: {error}"]) from None


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Our prefix with a section that does not exist; unknown fields are found by the sections."""
    for name in environ:
        if not name.startswith(ENV_PREFIX) or name == CONFIG_FILE_VARIABLE:
            continue
        section, delimiter, _ = name.removeprefix(ENV_PREFIX).lower().partition("__")
        if section not in Settings.model_fields or not delimiter:
            known = ", ".join(Settings.model_fields)
            yield f"{name}: no such setting; the sections are {known}"


def _sentences(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        dotted = ".".join(str(part) for part in fault["loc"])
        variable = ENV_PREFIX + "__".join(str(part) for part in fault["loc"][:2]).upper()
        yield f"{dotted} ({variable}): {fault['msg']}"
