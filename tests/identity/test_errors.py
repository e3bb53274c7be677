import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity import errors
from identity.errors import IdentityBusy, IdentityError, InvalidRegistration, TooManyLogins

PROTOCOL = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"


def refusals(base: type[IdentityError] = IdentityError) -> Iterator[type[IdentityError]]:
    for refusal in base.__subclasses__():
        yield refusal
        yield from refusals(refusal)


@pytest.mark.parametrize("refusal", list(refusals()), ids=lambda refusal: refusal.__name__)
def test_every_refusal_is_drawn_with_its_code_and_the_protocol_knows_it(
    refusal: type[IdentityError],
) -> None:
    lines = (errors.__doc__ or "").splitlines()
    [line] = [line for line in lines if re.search(rf"── {refusal.__name__}\b", line)]
    own = "code" in vars(refusal)
    assert not own or refusal.code in line.split()
    assert f"`{refusal.code}`" in PROTOCOL.read_text("utf-8")


@pytest.mark.parametrize("refusal", [TooManyLogins(42), IdentityBusy(42)])
def test_a_refusal_that_passes_says_when(refusal: TooManyLogins | IdentityBusy) -> None:
    assert refusal.retry_after_s == 42


def test_an_invalid_field_is_named() -> None:
    refusal = InvalidRegistration("email", "Write it as name@host.")
    assert (refusal.field, refusal.message) == ("email", "Write it as name@host.")
