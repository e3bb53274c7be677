"""What every settings section does with its input."""

import pytest
from pydantic import ValidationError

from config.section import Section


class Sample(Section):
    names: tuple[str, ...] = ()
    """Names."""

    title: str = ""
    """A title."""


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", ()), ("a", ("a",)), ("a, b ,", ("a", "b")), ('["a,b"]', ("a,b",)), (["x"], ("x",))],
)
def test_collections_from_text(given: object, expected: tuple[str, ...]) -> None:
    assert Sample.model_validate({"names": given}).names == expected


def test_broken_json_is_refused_by_the_field() -> None:
    with pytest.raises(ValidationError, match="names"):
        Sample.model_validate({"names": '["a"'})


def test_plain_text_stays_text() -> None:
    assert Sample.model_validate({"title": "a, b"}).title == "a, b"


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="nope"):
        Sample.model_validate({"nope": 1})
