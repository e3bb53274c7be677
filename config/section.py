"""The base of every settings section."""

import json
from typing import Any, get_origin

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A frozen group of settings; docstrings describe its fields, an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _split_text(cls, values: Any) -> Any:
        """Let an environment variable carry a collection: JSON, or plain values between commas."""
        if not isinstance(values, dict):
            return values
        return {
            name: _collection(value)
            if isinstance(value, str) and name in cls.model_fields and cls._is_collection(name)
            else value
            for name, value in values.items()
        }

    @classmethod
    def _is_collection(cls, name: str) -> bool:
        return get_origin(cls.model_fields[name].annotation) in (tuple, list, set, frozenset, dict)


def _collection(text: str) -> Any:
    if text.lstrip().startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            return text  # the field's own validation names it and says what it wants
    return [part.strip() for part in text.split(",") if part.strip()]
