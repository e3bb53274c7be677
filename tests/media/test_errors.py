from collections.abc import Iterator

from media import errors
from media.errors import MediaRefusal

# docs/PROTOCOL.md: the codes that clients may rely on.
CODES = {
    "invalid_sdp",
    "no_media",
    "no_common_codec",
    "stream_busy",
    "stream_offline",
    "stream_stopped",
    "too_many_viewers",
    "unavailable",
    "unknown_session",
    "unknown_stream",
    "precondition_required",
    "precondition_failed",
    "invalid_request",
}


def refusals(base: type[MediaRefusal] = MediaRefusal) -> Iterator[type[MediaRefusal]]:
    for refusal in base.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def test_every_refusal_has_a_code_of_the_protocol() -> None:
    assert {refusal.code for refusal in refusals()} == CODES


def test_the_tree_in_the_docstring_is_whole() -> None:
    assert errors.__doc__ is not None
    for refusal in refusals():
        assert f"── {refusal.__name__} " in errors.__doc__


def test_refusals_that_pass_say_when() -> None:
    waiting = [r for r in refusals() if hasattr(r, "retry_after_s")]
    assert {r.code for r in waiting} == {"stream_offline", "too_many_viewers", "unavailable"}
