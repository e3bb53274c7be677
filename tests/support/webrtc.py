"""aiortc as the client of a WHIP or WHEP endpoint."""

import asyncio
import fractions
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack, VideoStreamTrack
from av import VideoFrame

from media.worker import Accepted


class SmallPicture(VideoStreamTrack):
    """30 tiny pictures a second, cheap to encode."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / 30)
        frame = VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([self._count % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = self._count * 3000, fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Client:
    """One peer connection, and the session that it has at the worker."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection()
        self.tracks: list[MediaStreamTrack] = []
        self.accepted: Accepted | None = None
        self.pc.on("track", self.tracks.append)

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def connect(self, post: Callable[[str], Accepted]) -> Accepted:
        return await self._answered(post(await self.offer()))

    async def connect_async(self, post: Callable[[str], Awaitable[Accepted]]) -> Accepted:
        """The same through a door that has to wait."""
        return await self._answered(await post(await self.offer()))

    async def _answered(self, accepted: Accepted) -> Accepted:
        self.accepted = accepted
        await self.pc.setRemoteDescription(
            RTCSessionDescription(sdp=accepted.answer, type="answer")
        )
        return accepted

    async def connected(self) -> None:
        """Wait until this end has finished its handshake, too."""
        while self.pc.connectionState != "connected":
            changed = asyncio.Event()
            self.pc.once("connectionstatechange", changed.set)
            await asyncio.wait_for(changed.wait(), 15)

    async def frame(self, kind: str) -> Any:
        """The next decoded frame."""
        track = next(track for track in self.tracks if track.kind == kind)
        return await asyncio.wait_for(track.recv(), 15)

    async def vanish(self) -> None:
        """Be gone without a word, as a killed program or a lost network."""
        for transceiver in self.pc.getTransceivers():
            await transceiver.sender.transport.transport._connection.close()

    @property
    def session_id(self) -> str:
        assert self.accepted is not None
        return self.accepted.session_id
