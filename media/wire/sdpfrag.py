"""What a client PATCHes: `application/trickle-ice-sdpfrag` (RFC 8840, RFC 9725 §4.3)."""

from media.errors import InvalidSdp
from media.wire.offer import IceCredentials, checked_credentials
from media.wire.sdp import parse_sdp_fragment


def parse_credentials(text: str) -> IceCredentials | None:
    """The ICE credentials that the fragment names; None where it only brings candidates.

    An ICE-lite server never sends checks, so the candidates themselves are not read.
    Raises InvalidSdp.
    """
    sdp = parse_sdp_fragment(text)
    everywhere = [sdp.attributes, *(section.attributes for section in sdp.sections)]
    ufrag = next(filter(None, (attributes.first("ice-ufrag") for attributes in everywhere)), None)
    pwd = next(filter(None, (attributes.first("ice-pwd") for attributes in everywhere)), None)
    if ufrag is None and pwd is None:
        return None
    if ufrag is None or pwd is None:
        raise InvalidSdp("The fragment must have both a=ice-ufrag and a=ice-pwd, or neither.")
    return checked_credentials(ufrag, pwd)
