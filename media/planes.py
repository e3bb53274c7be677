"""Which data plane a worker gets."""

import logging

from config.media import MediaSettings
from media.errors import NoNativePlane
from media.plane import DataPlane
from media.python_plane import PythonPlane
from media.relay.datagrams import SegmentingSender
from media.transport.udp import UdpSocket

_logger = logging.getLogger(__name__)


def make_plane(settings: MediaSettings) -> DataPlane:
    """The plane that `media.plane` asks for; nothing is bound yet.

    Raises NoNativePlane where it has to be the native one, and that was not built.
    """
    plane = python_plane(settings) if settings.plane == "python" else _native_plane(settings)
    if plane is None:
        if settings.plane == "native":
            raise NoNativePlane
        plane = python_plane(settings)
    _logger.info("media plane", extra={"plane": plane.kind})
    return plane


def python_plane(settings: MediaSettings) -> PythonPlane:
    """The plane in Python over a socket of its own."""
    socket = UdpSocket(settings.bind_host, settings.udp_port)
    return PythonPlane(settings, socket, SegmentingSender(socket.raw))


def _native_plane(settings: MediaSettings) -> DataPlane | None:
    """The native plane, where this installation has it."""
    try:
        from media.native_plane import NativePlane  # noqa: PLC0415 (the module may not be there)
    except ImportError:
        return None
    return NativePlane(settings)
