import pytest

from server.gateway.refusals import (
    FieldError,
    InvalidRequest,
    RateLimited,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)


@pytest.mark.parametrize(
    ("method", "header"),
    [("POST", "Accept-Post"), ("PUT", "Accept-Post"), ("PATCH", "Accept-Patch")],
)
def test_a_wrong_format_is_told_the_right_one(method: str, header: str) -> None:
    assert UnsupportedMediaType(method, "application/sdp").headers == {header: "application/sdp"}


def test_refusals_carry_what_the_answer_needs() -> None:
    errors = [FieldError("email", "Say one")]
    assert InvalidRequest(errors).errors == tuple(errors)
    assert RateLimited(1.5).retry_after_s == 1.5


def test_messages_say_what_to_do() -> None:
    assert "65536" in str(TooLarge(65_536))
    assert "Authorization: Bearer" in str(Unauthenticated())
