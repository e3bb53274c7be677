from config.media import MediaSettings
from media.planes import make_plane, python_plane


def test_a_plane_is_made_unbound() -> None:
    for plane in (make_plane(MediaSettings(udp_port=0)), python_plane(MediaSettings(udp_port=0))):
        assert plane.kind in {"native", "python"}
        plane.close()
        plane.close()
