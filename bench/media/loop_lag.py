"""How late an event loop answers: a clock of the kernel's ticks at known instants, and the loop
says when it gets to each.

Not by a timer of the loop, for libuv rounds those to whole milliseconds of a clock that stands
still within a turn. An instant that passes while the loop is held up counts as well.
"""

import asyncio
import ctypes
import os
import statistics
import struct
import time

STEP_NS = 5_000_000
CLOCK_MONOTONIC, TFD_NONBLOCK, TFD_TIMER_ABSTIME = 1, 0o4000, 1


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: the interval and the first instant, each in seconds and nanoseconds."""

    _fields_ = [(name, ctypes.c_long) for name in ("step_s", "step_ns", "first_s", "first_ns")]


class LoopLag:
    """Samples the running event loop every 5 ms until `stop`."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)  # Python has no timerfd before 3.13
        self._fd: int = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)
        self._samples_ns: list[int] = []
        self._next_ns = time.monotonic_ns() + STEP_NS
        spec = _TimerSpec(0, STEP_NS, *divmod(self._next_ns, 10**9))
        flags = TFD_TIMER_ABSTIME
        if self._fd < 0 or libc.timerfd_settime(self._fd, flags, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "no timerfd")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._on_ticks)

    def stop(self) -> None:
        """Sample no longer."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def take_ms(self) -> dict[str, float]:
        """Median and 99th percentile in ms, and begin anew."""
        samples, self._samples_ns = self._samples_ns, []
        if len(samples) < 2:
            return {}
        cuts = statistics.quantiles(samples, n=100)
        return {"p50": cuts[49] / 1e6, "p99": cuts[98] / 1e6}

    def _on_ticks(self) -> None:
        now_ns = time.monotonic_ns()
        (ticks,) = struct.unpack("Q", os.read(self._fd, 8))
        for _ in range(ticks):
            self._samples_ns.append(max(now_ns - self._next_ns, 0))
            self._next_ns += STEP_NS
