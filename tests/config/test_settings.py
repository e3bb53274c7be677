"""The root of the settings."""

import pytest
from pydantic import BaseModel, ValidationError

from config.section import Section
from config.settings import Settings


def sections() -> list[type[Section]]:
    return [
        annotation
        for field in Settings.model_fields.values()
        if isinstance(annotation := field.annotation, type) and issubclass(annotation, Section)
    ]


def test_every_field_says_what_it_is_for() -> None:
    silent = [
        f"{section.__name__}.{name}"
        for section in sections()
        for name, field in section.model_fields.items()
        if not field.description
    ]
    assert silent == []
    assert len(sections()) == len(Settings.model_fields)


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.media.udp_port = 1  # type: ignore[misc]
    assert issubclass(type(settings), BaseModel)
