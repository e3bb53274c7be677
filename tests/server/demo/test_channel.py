"""The demo channel's FFmpeg."""

import subprocess
from itertools import pairwise

from server.demo.channel import PICTURE, TONE, command


def test_the_picture_and_the_tone_can_be_made() -> None:
    """The same filters, encoded for half a second to nowhere."""
    whole = command("http://127.0.0.1:1/whip/x", "sk_unused")
    encode = whole[: whole.index("-f", whole.index("-b:a"))]
    done = subprocess.run(
        [*encode, "-t", "0.5", "-f", "null", "-"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert PICTURE in whole
    assert TONE in whole


def test_a_keyframe_comes_every_second_and_nothing_refers_ahead() -> None:
    arguments = command("http://127.0.0.1:1/whip/x", "sk_unused")
    options = dict(pairwise(arguments))
    assert options["-g"] == "30"
    assert options["-bf"] == "0"
    assert options["-f"] == "whip"
