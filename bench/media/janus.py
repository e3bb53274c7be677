"""Janus with the same viewers, in a network namespace of its own (its ICE library multicasts).

    unshare -n python -m bench.media.janus VIEWERS SECONDS

The streaming plugin with one RTP mountpoint and `event_loops=1`; prints a JSON object with the CPU
of a packet and viewer, in µs.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.media.control import cpu_s
from bench.media.paced import ask_line, wait_connected
from bench.media.stream import BURST, VIDEO_PAYLOAD_TYPE, Publisher

ADDRESS = "10.77.0.1"  # of a device in the namespace; Janus leaves out the loopback device
HTTP_PORT, AUDIO_PORT, VIDEO_PORT = 8088, 5002, 5004
LIBRARIES = Path("/usr/lib")

CONFIG = {
    "janus.jcfg": """
general: {{ configs_folder = "{folder}" plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports" event_loops = 1 debug_level = 3 }}
media: {{ rtp_port_range = "20000-21000" }}
nat: {{ ice_enforce_list = "{address}" }}
""",
    "janus.transport.http.jcfg": """
general: {{ json = "compact" base_path = "/janus" interface = "lo"
  http = true port = {http} https = false }}
""",
    "janus.plugin.streaming.jcfg": """
bench: {{ type = "rtp" id = 1 description = "bench" media = (
  {{ type = "audio" mid = "a" port = {audio} pt = 111 codec = "opus" }},
  {{ type = "video" mid = "v" port = {video} pt = 96 codec = "h264"
     fmtp = "profile-level-id=42e01f;packetization-mode=1" }} ) }}
""",
}


def is_installed() -> bool:
    """Whether this machine has Janus, and may make a network namespace."""
    probe = ["unshare", "-n", "true"]
    return shutil.which("janus") is not None and subprocess.run(probe, check=False).returncode == 0


def measure(viewers: int, seconds: float) -> float:
    """CPU µs a packet and viewer, in a namespace made for it."""
    command = [
        "unshare",
        "-n",
        sys.executable,
        "-m",
        "bench.media.janus",
        str(viewers),
        str(seconds),
    ]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(result.stdout)["cpu_us"])


def set_up_network() -> None:
    """Loopback, and a device with the address that Janus gathers."""
    for command in (
        "ip link set lo up",
        "ip link add bench0 type veth peer name bench1",
        f"ip addr add {ADDRESS}/24 dev bench0",
        "ip link set bench0 up",
        "ip link set bench1 up",
    ):
        subprocess.run(command.split(), check=True)


@contextmanager
def janus() -> Iterator[int]:
    """A running Janus; its process id."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in CONFIG.items():
            (folder / file).write_text(
                text.format(
                    folder=folder,
                    address=ADDRESS,
                    http=HTTP_PORT,
                    audio=AUDIO_PORT,
                    video=VIDEO_PORT,
                )
            )
        for kind, library in (("plugins", "streaming"), ("transports", "http")):
            (folder / kind).mkdir()
            [found] = LIBRARIES.glob(f"*/janus/{kind}/libjanus_{library}.so")
            (folder / kind / found.name).symlink_to(found)
        shim = folder / "shim.so"
        source = Path(__file__).with_name("janus_shim.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", shim, source, "-ldl"], check=True)
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(
                ["janus", "-F", str(folder), "-C", str(folder / "janus.jcfg")],
                env={"LD_PRELOAD": str(shim), "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                wait_listening()
                yield process.pid
            finally:
                process.kill()


def wait_listening() -> None:
    """Until its HTTP port answers."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class RtpPublisher:
    """Sends the stream as plain RTP to the mountpoint."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._batches = Publisher().timed(0.0, burst=BURST)

    def run(self, seconds: float) -> int:
        """Send for so long; the number of packets that went."""
        start, sent, first = time.monotonic(), 0, None
        for due, batch in self._batches:
            first = due if first is None else first
            time.sleep(max(0.0, start + due - first - time.monotonic()))
            for packet in batch:
                is_video = packet[1] & 0x7F == VIDEO_PAYLOAD_TYPE
                self._socket.sendto(packet, ("127.0.0.1", VIDEO_PORT if is_video else AUDIO_PORT))
            sent += len(batch)
            if due - first >= seconds:
                break
        return sent


def main(count: int, seconds: float) -> None:
    """One run."""
    set_up_network()
    with janus() as pid:
        publisher = RtpPublisher()
        url = f"http://127.0.0.1:{HTTP_PORT}/janus"
        command = [sys.executable, "-m", "bench.media.aiortc_viewers", "janus", url, str(count)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as viewers:
            try:
                wait_connected(viewers, publisher)
                publisher.run(1.0)
                ask_line(viewers)
                cpu = cpu_s(pid)
                sent = publisher.run(seconds)
                cpu = cpu_s(pid) - cpu
                got = ask_line(viewers)
            finally:
                viewers.terminate()
    print(json.dumps({"cpu_us": cpu * 1e6 / (sent * count), "got": sum(got) / (sent * count)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
