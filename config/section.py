"""The base of every settings section."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen group of settings; a field's docstring is its description, an unknown field an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
    )
