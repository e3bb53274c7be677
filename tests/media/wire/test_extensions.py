"""The table of header extensions, which native code shares by number."""

import pytest

from media.wire.extensions import NUMBERS, PASSED, STAMPED, Extension


def test_numbers_are_those_that_native_code_knows() -> None:
    assert [(each.name, each.number) for each in Extension] == [
        ("MID", 0),
        ("ABS_SEND_TIME", 1),
        ("TRANSPORT_SEQUENCE", 2),
        ("VIDEO_ORIENTATION", 3),
        ("AUDIO_LEVEL", 4),
        ("PLAYOUT_DELAY", 5),
        ("COLOR_SPACE", 6),
        ("VIDEO_CONTENT_TYPE", 7),
        ("ABS_CAPTURE_TIME", 8),
        ("DEPENDENCY_DESCRIPTOR", 9),
    ]
    assert max(NUMBERS.values()) <= 15


def test_an_extension_is_stamped_or_passed() -> None:
    assert set(STAMPED) | set(PASSED) == set(Extension)
    assert not set(STAMPED) & set(PASSED)


def test_it_is_found_by_its_uri() -> None:
    assert Extension("urn:ietf:params:rtp-hdrext:sdes:mid") is Extension.MID
    with pytest.raises(ValueError):
        Extension("urn:example:unknown")
