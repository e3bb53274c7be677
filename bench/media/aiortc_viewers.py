"""Real aiortc viewers, of our server or of Janus; what they get is counted and thrown away.

    python -m bench.media.aiortc_viewers whep CONTROL COUNT
    python -m bench.media.aiortc_viewers janus URL COUNT

Prints a line once all are connected; then, for every line on its standard input, the packets that
each viewer got since the last time. In a process of its own, so that its CPU is not the server's.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import aioice.ice
import uvloop
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport

from bench.media.control import Control

CONNECT_S = 20.0


class Counter:
    """Stands where a viewer's packets would be decrypted and decoded."""

    def __init__(self) -> None:
        self.packets: dict[RTCDtlsTransport, int] = {}

    def install(self) -> None:
        """Count from now on."""
        packets = self.packets

        async def discard(transport: RTCDtlsTransport, data: bytes, arrival_time_ms: int) -> None:
            packets[transport] = packets.get(transport, 0) + 1

        RTCDtlsTransport._handle_rtp_data = discard  # type: ignore[method-assign]

    def take(self) -> list[int]:
        """Packets a viewer since the last time."""
        taken = list(self.packets.values())
        self.packets.update(dict.fromkeys(self.packets, 0))
        return taken


async def watch_ours(control: Control) -> RTCPeerConnection:
    """A viewer of ours, as WHEP has it: the viewer offers."""
    pc = RTCPeerConnection()
    pc.addTransceiver("audio", direction="recvonly")
    pc.addTransceiver("video", direction="recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    answer = str(control.ask("watch", pc.localDescription.sdp)["answer"])
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return pc


async def watch_janus(http: aiohttp.ClientSession, url: str) -> RTCPeerConnection:
    """A viewer of mountpoint 1 of Janus' streaming plugin: Janus offers."""

    async def ask(path: str, **body: object) -> Any:
        async with http.post(url + path, json={"transaction": "bench", **body}) as response:
            return await response.json()

    session = (await ask("", janus="create"))["data"]["id"]
    attach = await ask(f"/{session}", janus="attach", plugin="janus.plugin.streaming")
    handle = f"/{session}/{attach['data']['id']}"
    await ask(handle, janus="message", body={"request": "watch", "id": 1})
    event: dict[str, Any] = {}
    while "jsep" not in event:
        async with http.get(f"{url}/{session}?maxev=1") as response:
            event = await response.json()
    pc = RTCPeerConnection()
    await pc.setRemoteDescription(RTCSessionDescription(event["jsep"]["sdp"], "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    jsep = {"type": "answer", "sdp": pc.localDescription.sdp}
    await ask(handle, janus="message", body={"request": "start"}, jsep=jsep)
    return pc


async def connected(pc: RTCPeerConnection) -> None:
    """Wait for the handshake."""
    async with asyncio.timeout(CONNECT_S):
        while pc.connectionState != "connected":
            changed = asyncio.Event()
            pc.once("connectionstatechange", changed.set)
            await changed.wait()


async def main(kind: str, target: str, count: int) -> None:
    """Connect one after the other, then answer lines until there are none."""
    counter = Counter()
    counter.install()
    host = "127.0.0.1" if kind == "whep" else "10.77.0.1"
    aioice.ice.get_host_addresses = lambda **_: [host]
    control = Control(target) if kind == "whep" else None
    async with aiohttp.ClientSession() as http:
        viewers = []
        for _ in range(count):
            pc = await (watch_ours(control) if control else watch_janus(http, target))
            await connected(pc)
            viewers.append(pc)
        print(json.dumps({"connected": len(viewers)}), flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(counter.take()), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
