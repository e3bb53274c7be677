"""RTCP (RFC 3550 §6) and the feedback messages an SFU lives by (RFC 4585, RFC 5104, REMB).

`parse_rtcp` gives the messages of a compound packet; what the relay has no use for (SDES, APP, XR,
other feedback) is skipped over. `build_*` gives one message each; a compound packet is their
concatenation. Refusal:

RtcpError (ValueError)    bytes that are no RTCP, or less of it than they claim
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from media.wire.transport_feedback import TransportFeedback, parse_transport_feedback

SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203
RTPFB: Final = 205
PSFB: Final = 206

_FMT_NACK: Final = 1
_FMT_TRANSPORT: Final = 15
_FMT_PLI: Final = 1
_FMT_FIR: Final = 4
_FMT_AFB: Final = 15

_VERSION_2: Final = 0x80
_SDES_CNAME: Final = 1
_REPORT_BLOCK_SIZE: Final = 24
_MAX_BLOCKS: Final = 31  # the count has five bits

_HEADER = struct.Struct("!BBH")
_SSRC = struct.Struct("!I")
_SENDER_INFO = struct.Struct("!IQIII")
_REPORT_BLOCK = struct.Struct("!IIIIII")
_FEEDBACK_SSRCS = struct.Struct("!II")
_NACK_ITEM = struct.Struct("!HH")
_FIR_ITEM = struct.Struct("!IB3x")


class RtcpError(ValueError):
    """Not an RTCP packet."""


class ReportBlock(NamedTuple):
    """RFC 3550 §6.4.1: how one SSRC is received.

    `fraction_lost` is in 1/256 since the last report, `lost` may be negative, `jitter` is in
    timestamp units, `last_sr` the middle 32 bits of an NTP time, `delay` in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay: int


class SenderReport(NamedTuple):
    """The same instant on two clocks: `ntp` is 32.32 fixed point seconds since 1900."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(NamedTuple):
    ssrc: int
    blocks: tuple[ReportBlock, ...]


class Bye(NamedTuple):
    ssrcs: tuple[int, ...]


class Nack(NamedTuple):
    """RFC 4585 §6.2.1: packets of `media_ssrc` that are missing, by 16-bit sequence number."""

    media_ssrc: int
    sequences: tuple[int, ...]


class PictureLoss(NamedTuple):
    """RFC 4585 §6.3.1 (PLI): the sender asks for a keyframe of `media_ssrc`."""

    media_ssrc: int


class FullIntraRequest(NamedTuple):
    """RFC 5104 §4.3.1 (FIR): the same wish, for several SSRCs."""

    media_ssrcs: tuple[int, ...]


class ReceiverEstimate(NamedTuple):
    """REMB (draft-alvestrand-rmcat-remb): the most that the receiver wants to get."""

    bitrate_bps: int
    media_ssrcs: tuple[int, ...]


Message = (
    SenderReport
    | ReceiverReport
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | ReceiverEstimate
    | TransportFeedback
)


def parse_rtcp(packet: bytes) -> list[Message]:
    """The messages of a compound packet, in order. Raises RtcpError; then none of it counts.

    The work is bounded by the packet: a NACK item of four bytes names at most 17 packets.
    """
    messages: list[Message] = []
    at = 0
    while at < len(packet):
        if at + 4 > len(packet):
            raise RtcpError("an RTCP header is cut off")
        first, packet_type, words = _HEADER.unpack_from(packet, at)
        end = at + 4 + 4 * words
        if first & 0xC0 != _VERSION_2:
            raise RtcpError("not RTCP version 2")
        if end > len(packet):
            raise RtcpError("an RTCP packet is cut off")
        parse = _PARSERS.get(packet_type)
        if parse is not None:
            body = packet[at + 4 : end - _padding(packet, first, at + 4, end)]
            message = parse(first & 0x1F, body)
            if message is not None:
                messages.append(message)
        at = end
    return messages


def _padding(packet: bytes, first: int, start: int, end: int) -> int:
    if not first & 0x20:
        return 0
    if start == end or not 0 < packet[end - 1] <= end - start:
        raise RtcpError("the padding is longer than the packet")
    return packet[end - 1]


def _need(body: bytes, size: int) -> None:
    if len(body) < size:
        raise RtcpError("an RTCP packet is shorter than its content")


def _parse_sender_report(count: int, body: bytes) -> SenderReport:
    _need(body, 24)
    ssrc, ntp, rtp_timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
    blocks = _parse_blocks(count, body, 24)
    return SenderReport(ssrc, ntp, rtp_timestamp, packets, octets, blocks)


def _parse_receiver_report(count: int, body: bytes) -> ReceiverReport:
    _need(body, 4)
    (ssrc,) = _SSRC.unpack_from(body)
    return ReceiverReport(ssrc, _parse_blocks(count, body, 4))


def _parse_blocks(count: int, body: bytes, at: int) -> tuple[ReportBlock, ...]:
    _need(body, at + count * _REPORT_BLOCK_SIZE)
    blocks = []
    for offset in range(at, at + count * _REPORT_BLOCK_SIZE, _REPORT_BLOCK_SIZE):
        ssrc, losses, *rest = _REPORT_BLOCK.unpack_from(body, offset)
        lost = losses & 0xFFFFFF
        signed = lost - (1 << 24) if lost & 0x800000 else lost
        blocks.append(ReportBlock(ssrc, losses >> 24, signed, *rest))
    return tuple(blocks)


def _parse_bye(count: int, body: bytes) -> Bye:
    _need(body, 4 * count)
    return Bye(struct.unpack_from(f"!{count}I", body))


def _parse_transport_feedback(fmt: int, body: bytes) -> Nack | TransportFeedback | None:
    _need(body, 8)
    if fmt == _FMT_TRANSPORT:
        try:
            return parse_transport_feedback(body)
        except ValueError as error:
            raise RtcpError(str(error)) from error
    if fmt != _FMT_NACK:
        return None
    _, media_ssrc = _FEEDBACK_SSRCS.unpack_from(body)
    sequences = []
    items = body[8 : len(body) - len(body) % 4]
    for first, following in _NACK_ITEM.iter_unpack(items):
        sequences.append(first)
        sequences += [(first + bit) & 0xFFFF for bit in range(1, 17) if following >> bit - 1 & 1]
    return Nack(media_ssrc, tuple(sequences))


def _parse_payload_feedback(
    fmt: int, body: bytes
) -> PictureLoss | FullIntraRequest | ReceiverEstimate | None:
    _need(body, 8)
    if fmt == _FMT_PLI:
        return PictureLoss(_FEEDBACK_SSRCS.unpack_from(body)[1])
    if fmt == _FMT_FIR:
        items = body[8 : len(body) - len(body) % 8]
        return FullIntraRequest(tuple(ssrc for ssrc, _ in _FIR_ITEM.iter_unpack(items)))
    if fmt == _FMT_AFB and body[8:12] == b"REMB":
        return _parse_remb(body)
    return None


def _parse_remb(body: bytes) -> ReceiverEstimate:
    _need(body, 16)
    count, exponent = body[12], body[13] >> 2
    mantissa = (body[13] & 0x03) << 16 | body[14] << 8 | body[15]
    _need(body, 16 + 4 * count)
    return ReceiverEstimate(mantissa << exponent, struct.unpack_from(f"!{count}I", body, 16))


_PARSERS: Final[dict[int, Callable[[int, bytes], Message | None]]] = {
    SR: _parse_sender_report,
    RR: _parse_receiver_report,
    BYE: _parse_bye,
    RTPFB: _parse_transport_feedback,
    PSFB: _parse_payload_feedback,
}


def _packet(packet_type: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION_2 | count, packet_type, len(body) // 4) + body


def _pack_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    if len(blocks) > _MAX_BLOCKS:
        raise ValueError("a report has at most 31 blocks")
    return b"".join(
        _REPORT_BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | min(max(block.lost, -0x800000), 0x7FFFFF) & 0xFFFFFF,
            *block[3:],
        )
        for block in blocks
    )


def build_sender_report(report: SenderReport) -> bytes:
    """An SR; its counters are taken modulo 2**32."""
    ssrc, ntp, rtp_timestamp, packets, octets, blocks = report
    info = _SENDER_INFO.pack(ssrc, ntp, rtp_timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    return _packet(SR, len(blocks), info + _pack_blocks(blocks))


def build_receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """An RR from `ssrc`."""
    return _packet(RR, len(blocks), _SSRC.pack(ssrc) + _pack_blocks(blocks))


def build_sdes(ssrcs: Sequence[int], cname: str) -> bytes:
    """An SDES that gives all `ssrcs` one CNAME, which tells receivers to play them in step."""
    name = cname.encode()
    item = bytes((_SDES_CNAME, len(name))) + name
    item += bytes(4 - len(item) % 4)  # RFC 3550 §6.5: one to four null octets end the list
    return _packet(SDES, len(ssrcs), b"".join(_SSRC.pack(ssrc) + item for ssrc in ssrcs))


def build_bye(ssrcs: Sequence[int]) -> bytes:
    """A BYE for all `ssrcs`."""
    return _packet(BYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def build_nack(sender_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """A NACK; numbers within 16 of each other share an item when given in sending order."""
    items: list[tuple[int, int]] = []
    for sequence in sequences:
        ahead = (sequence - items[-1][0]) & 0xFFFF if items else 0
        if 1 <= ahead <= 16:
            first, following = items[-1]
            items[-1] = (first, following | 1 << (ahead - 1))
        else:
            items.append((sequence, 0))
    packed = b"".join(_NACK_ITEM.pack(*item) for item in items)
    return _packet(RTPFB, _FMT_NACK, _FEEDBACK_SSRCS.pack(sender_ssrc, media_ssrc) + packed)


def build_pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """A PLI."""
    return _packet(PSFB, _FMT_PLI, _FEEDBACK_SSRCS.pack(sender_ssrc, media_ssrc))


def build_remb(sender_ssrc: int, bitrate_bps: int, media_ssrcs: Sequence[int]) -> bytes:
    """A REMB; the bitrate is rounded down to 18 significant bits."""
    exponent = max(bitrate_bps.bit_length() - 18, 0)
    mantissa = bitrate_bps >> exponent
    limit = struct.pack("!4sI", b"REMB", len(media_ssrcs) << 24 | exponent << 18 | mantissa)
    ssrcs = struct.pack(f"!{len(media_ssrcs)}I", *media_ssrcs)
    return _packet(PSFB, _FMT_AFB, _FEEDBACK_SSRCS.pack(sender_ssrc, 0) + limit + ssrcs)
