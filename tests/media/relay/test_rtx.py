"""The retransmission stream: its own numbers, fresh stamps, the original inside."""

from media.relay.packet_writer import TransportSequence
from media.relay.rtx import RtxStream
from media.relay.tracks import RelayPacket
from media.wire.extensions import Extension
from media.wire.header_extensions import header_extensions

PACKET = RelayPacket("video", 9, 1000, True, False, b"picture", ((Extension.COLOR_SPACE, b"c"),))


def test_each_repetition_is_a_packet_of_its_own(stage) -> None:
    agreed = ((Extension.TRANSPORT_SEQUENCE, 3), (Extension.COLOR_SPACE, 4))
    viewer = stage.viewer(rtx=True, extensions=agreed)
    transport = TransportSequence()
    transport.take()
    track = viewer.viewer.tracks[0]
    rtx = RtxStream(track, 121, viewer.rtx_ssrc, viewer.viewer.keys, transport)
    datagrams = [rtx.send(PACKET, 0x1FFFE, now) for now in (1.0, 2.0)]
    repeated = viewer.decrypt(datagrams)
    assert [payload for _, payload in repeated] == [b"\xff\xfepicture"] * 2
    headers = [header for header, _ in repeated]
    assert {(h.ssrc, h.payload_type, h.marker) for h in headers} == {(viewer.rtx_ssrc, 121, True)}
    assert [h.sequence - (viewer.rtx_ssrc & 0x7FFF) for h in headers] == [0, 1]
    assert {h.timestamp for h in headers} == {(1000 + viewer.video_ssrc) & 0xFFFFFFFF}
    assert [list(header_extensions(h)) for h in headers] == [
        [(3, b"\0\1"), (4, b"c")],
        [(3, b"\0\2"), (4, b"c")],
    ]
