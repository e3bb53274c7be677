import inspect

import pytest

from media import errors
from media.errors import MediaRefusal, StreamHeld, TooManyViewers
from media.pool.messages import Answer, Refusal, decode, encode
from media.pool.refusals import UnknownRefusal, pack, unpack

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, MediaRefusal) and kind is not MediaRefusal
]
ARGUMENTS = {StreamHeld: (12.5,), TooManyViewers: (7,), errors.TooManyStreams: (3,)}


def crossed(refusal: MediaRefusal) -> MediaRefusal:
    answer = decode(encode(Answer(1, refusal=pack(refusal))))
    assert isinstance(answer, Answer)
    assert answer.refusal is not None
    return unpack(answer.refusal)


@pytest.mark.parametrize("kind", KINDS)
def test_every_refusal_crosses_with_its_type_words_and_fields(kind: type[MediaRefusal]) -> None:
    takes_words = "__init__" not in vars(kind)
    refusal = kind(*(ARGUMENTS.get(kind) or (("What to do.",) if takes_words else ())))
    again = crossed(refusal)
    assert type(again) is kind
    assert str(again) == str(refusal)
    assert again.code == refusal.code
    assert vars(again) == vars(refusal)
    assert getattr(again, "retry_after_s", None) == getattr(refusal, "retry_after_s", None)


def test_only_refusals_of_the_media_plane_are_made() -> None:
    for name in ("PortTaken", "SystemExit", "MediaRefusal "):
        with pytest.raises(UnknownRefusal):
            unpack(Refusal(name, "", {}))
