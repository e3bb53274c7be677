"""Paced runs: one publisher at 2.5 Mbit/s in real time, and viewers who drain what they get."""

import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from bench.media.control import Control, ServerProcess, server
from bench.media.lean import LeanPeer, offer
from bench.media.stream import BURST, Publisher

SETTLE_S = 2.0


@dataclass(frozen=True)
class PacedRun:
    """What one run showed; `lost` is of the packets that were sent, over all viewers."""

    viewers: int
    cpu_us: float
    core: float
    lost: int
    lag_ms: dict[str, float]
    relay_ms: dict[str, float]
    viewer_bytes: float


class PacedPublisher:
    """A connected publisher that sends on time."""

    def __init__(self, control: Control, *, burst: int) -> None:
        self._peer = LeanPeer()
        self._peer.connect(str(control.ask("publish", offer("sendonly"))["answer"]))
        self._peer.socket.setblocking(False)
        self._batches = Publisher().timed(0.0, burst=burst)
        self._check_due = 0.0

    def rest(self, seconds: float) -> None:
        """Send nothing for so long, but stay."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._upkeep()
            time.sleep(0.1)

    def run(self, seconds: float) -> int:
        """Send for so long; the number of packets that went."""
        start, sent, first = time.monotonic(), 0, None
        for due, batch in self._batches:
            first = due if first is None else first  # what was not sent in a pause is not made up
            time.sleep(max(0.0, start + due - first - time.monotonic()))
            for packet in batch:
                self._peer.socket.send(self._peer.srtp_out.protect(packet))
            sent += len(batch)
            self._upkeep()
            if due - first >= seconds:
                break
        return sent

    def _upkeep(self) -> None:
        now = time.monotonic()
        if now >= self._check_due:
            self._check_due = now + 2.5
            self._peer.check()
        try:
            while True:
                self._peer.socket.recv(2048)
        except BlockingIOError:
            return


class Sends(Protocol):
    """A publisher."""

    def run(self, seconds: float) -> int:
        """Send for so long; the number of packets that went."""


def wait_connected(viewers: "subprocess.Popen[str]", publisher: Sends) -> None:
    """Until the process says that its viewers are connected; the publisher goes on meanwhile."""
    if viewers.stdout is None:
        raise ValueError("the process has no pipe")
    while not select.select([viewers.stdout], [], [], 0)[0]:
        publisher.run(0.2)
    if "connected" not in viewers.stdout.readline():
        raise SystemExit("the viewers did not connect")


def ask_line(viewers: "subprocess.Popen[str]") -> list[int]:
    """RTP packets a viewer since the last time."""
    if viewers.stdin is None or viewers.stdout is None:
        raise ValueError("the process has no pipes")
    viewers.stdin.write("\n")
    viewers.stdin.flush()
    packets: list[int] = json.loads(viewers.stdout.readline())
    return packets


def paced(
    count: int,
    seconds: float,
    *,
    burst: int = BURST,
    viewers: Literal["lean", "aiortc"] = "lean",
    silent: bool = False,
    lag: bool = False,
    **settings: object,
) -> PacedRun:
    """One run of so many viewers.

    `silent`: the publisher stays, but sends nothing meanwhile. `lag`: the lag of the event loop is
    sampled, which is not free.
    """
    programs = {
        "lean": ["bench.media.swarm"],
        "aiortc": ["bench.media.aiortc_viewers", "whep"],
    }
    with server(max_pending_sessions=count + 10, **settings) as process:
        control = Control(process.path)
        if lag:
            control.ask("sample_lag")
        publisher = PacedPublisher(control, burst=burst)
        publisher.run(0.5)
        memory = process.memory_bytes()
        command = [sys.executable, "-m", *programs[viewers], process.path, str(count)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as swarm:
            try:
                wait_connected(swarm, publisher)
                publisher.run(SETTLE_S)
                return _Run(process, control, publisher, swarm, memory).measure(
                    count, seconds, silent=silent
                )
            finally:
                swarm.terminate()


@dataclass(frozen=True)
class _Run:
    """Everything of a run that has settled; `memory` was the server's before there were viewers."""

    process: ServerProcess
    control: Control
    publisher: PacedPublisher
    swarm: "subprocess.Popen[str]"
    memory: int

    def measure(self, count: int, seconds: float, *, silent: bool) -> PacedRun:
        """Send for so long, and compare what both ends counted."""
        self._rest()
        watching = self.control.ask("figures")["watching"]
        if watching != count:
            raise SystemExit(f"{watching} viewers are left of {count}: the machine is too busy")
        cpu, wall = self.process.cpu_s(), time.monotonic()
        sent = 0
        if silent:
            self.publisher.rest(seconds)
        else:
            sent = self.publisher.run(seconds)
        cpu, wall = self.process.cpu_s() - cpu, time.monotonic() - wall
        figures = self.control.ask("figures")
        got = self._rest()
        return PacedRun(
            viewers=count,
            cpu_us=cpu * 1e6 / (sent * count) if sent else 0.0,
            core=cpu / wall,
            lost=sum(sent - packets for packets in got),
            lag_ms=figures["lag_ms"],
            relay_ms=figures["relay_ms"],
            viewer_bytes=(self.process.memory_bytes() - self.memory) / count,
        )

    def _rest(self) -> list[int]:
        """What viewers got, once everything on its way has arrived."""
        time.sleep(0.2)
        return ask_line(self.swarm)


if __name__ == "__main__":
    print(paced(int(sys.argv[1]), float(sys.argv[2]), viewers=sys.argv[3]))  # type: ignore[arg-type]
