"""The stream of every media bench: 2.5 Mbit/s, 285 video packets of 1,100 bytes and 50 of audio."""

import struct
from collections.abc import Iterator
from itertools import count

VIDEO_PACKETS, VIDEO_BYTES = 285, 1100
AUDIO_PACKETS, AUDIO_BYTES = 50, 100
PACKETS_PER_S = VIDEO_PACKETS + AUDIO_PACKETS
BURST = 3  # video packets that a paced publisher has on the way together

VIDEO_PAYLOAD_TYPE, AUDIO_PAYLOAD_TYPE = 96, 111
VIDEO_SSRC, AUDIO_SSRC = 1, 2
KEYFRAME, DELTA = bytes.fromhex("7c85b8"), bytes.fromhex("7c01b8")  # FU-A of H.264

Batches = list[list[bytes]]


class Publisher:
    """Makes the packets of one stream, second after second, each with a keyframe at its start."""

    def __init__(self) -> None:
        self._video, self._audio = count(), count()

    def second(self, *, burst: int = BURST) -> Batches:
        """The packets of the next second as a socket would give them: bursts, and audio between."""
        video = [self._video_packet(first=at == 0) for at in range(VIDEO_PACKETS)]
        audio = [self._audio_packet() for _ in range(AUDIO_PACKETS)]
        bursts = [video[at : at + burst] for at in range(0, len(video), burst)]
        every = max(1, len(bursts) // AUDIO_PACKETS)
        for number, packet in enumerate(audio):
            bursts.insert(number * (every + 1), [packet])
        return bursts

    def timed(self, start_s: float, *, burst: int = BURST) -> Iterator[tuple[float, list[bytes]]]:
        """Batches and when each is to be sent, evenly over every second, without end."""
        for second in count():
            batches = self.second(burst=burst)
            for number, batch in enumerate(batches):
                yield start_s + second + number / len(batches), batch

    def _video_packet(self, *, first: bool) -> bytes:
        number = next(self._video)
        start = KEYFRAME if first else DELTA
        header = struct.pack(
            "!BBHII",
            0x80,
            VIDEO_PAYLOAD_TYPE,
            number & 0xFFFF,
            number * 300 & 0xFFFFFFFF,
            VIDEO_SSRC,
        )
        return header + start + bytes(VIDEO_BYTES - len(header) - len(start))

    def _audio_packet(self) -> bytes:
        number = next(self._audio)
        header = struct.pack(
            "!BBHII",
            0x80,
            AUDIO_PAYLOAD_TYPE,
            number & 0xFFFF,
            number * 960 & 0xFFFFFFFF,
            AUDIO_SSRC,
        )
        return header + bytes(AUDIO_BYTES - len(header))
