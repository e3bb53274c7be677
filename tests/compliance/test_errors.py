"""The refusal of a value."""

from compliance.errors import ComplianceRefusal, InvalidField


def test_it_names_the_field() -> None:
    refusal = InvalidField("note", "Say why.")
    assert isinstance(refusal, ComplianceRefusal)
    assert (refusal.code, refusal.field, refusal.message) == ("invalid_request", "note", "Say why.")
