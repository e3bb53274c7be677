"""Values compare by what they hold, and keys don't show."""

from media.relay.tracks import KINDS, RelayPacket
from media.wire.extensions import Extension


def test_a_relay_packet_unpacks_in_its_documented_order():
    extensions = ((Extension.AUDIO_LEVEL, b"7"),)
    packet = RelayPacket("audio", 1, 2, True, True, b"x", extensions)
    assert packet == ("audio", 1, 2, True, True, b"x", extensions)
    assert RelayPacket("audio", 1, 2, True, True, b"x").extensions == ()


def test_each_viewer_has_its_own_address(stage):
    first, second = stage.viewer(), stage.viewer()
    assert first.viewer != second.viewer
    assert {track.kind for track in first.viewer.tracks} == set(KINDS)


def test_keys_stay_out_of_logs(stage):
    viewer = stage.viewer().viewer
    assert repr(viewer.keys.local) not in repr(viewer)
