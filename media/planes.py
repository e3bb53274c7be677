"""Which data plane a worker gets."""

import logging

from config.media import MediaSettings
from media.plane import DataPlane
from media.python_plane import PythonPlane
from media.relay.datagrams import SegmentingSender
from media.transport.udp import UdpSocket

_logger = logging.getLogger(__name__)


def make_plane(settings: MediaSettings) -> DataPlane:
    """The plane of this process; nothing is bound yet."""
    plane = python_plane(settings)
    _logger.info("media plane", extra={"plane": plane.kind})
    return plane


def python_plane(settings: MediaSettings) -> PythonPlane:
    """The plane in Python over a socket of its own."""
    socket = UdpSocket(settings.bind_host, settings.udp_port)
    return PythonPlane(settings, socket, SegmentingSender(socket.raw))
