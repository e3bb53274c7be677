"""Memory goes back to the system, but not at every turn."""

import ctypes
import gc
import threading
import time
from pathlib import Path

import pytest

from media import heap
from media.heap import EVERY_S, Heap
from media.session import EndReason
from tests.support.media_stage import Stage

BLOCKS, BLOCK_BYTES = 4_000, 12 * 1024


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When memory was given back."""
    given: list[float] = []
    monkeypatch.setattr(heap, "_TRIM", lambda _: given.append(time.monotonic()))
    return given


def settle() -> None:
    """Let the threads that give memory back end."""
    for thread in threading.enumerate():
        if thread.name == "heap":
            thread.join()


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_only_after_something_was_freed_and_not_too_often(times: list[float]) -> None:
    worker = Heap()
    worker.poll(10.0)
    assert times == []
    worker.freed += 3
    worker.poll(10.0)
    worker.freed += 1
    worker.poll(10.0 + EVERY_S / 2)
    settle()
    assert len(times) == 1
    worker.poll(10.0 + EVERY_S)
    worker.poll(10.0 + 2 * EVERY_S)
    settle()
    assert len(times) == 2


def test_a_c_library_that_has_no_such_function_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heap, "_TRIM", None)
    worker = Heap()
    worker.freed += 1
    worker.poll(10.0)


@pytest.mark.skipif(heap._TRIM is None, reason="the C library has no malloc_trim")
def test_holes_between_what_stays_go_back() -> None:
    gc.collect()
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    blocks = [ctypes.c_void_p(library.malloc(BLOCK_BYTES)) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK_BYTES)
    for block in blocks[::2]:
        library.free(block)
    before = resident_bytes()
    worker = Heap()
    worker.freed += 1
    worker.poll(10.0)
    settle()
    after = resident_bytes()
    for block in blocks[1::2]:
        library.free(block)
    assert before - after > BLOCKS / 2 * BLOCK_BYTES / 2


def test_settled_handshakes_and_ended_sessions_are_told(times: list[float]) -> None:
    stage = Stage()
    stage.connect(stage.publisher(4000))
    viewer = stage.connect(stage.viewer(5000))
    now = stage.now
    stage.registry.sweep(now)
    settle()
    assert times == []
    stage.receive(viewer.rtcp(b"\x81\xc9\0\1\0\0\0\7"))
    stage.receive(viewer.rtcp(b"\x81\xc9\0\1\0\0\0\7"))
    stage.registry.sweep(now)
    settle()
    assert len(times) == 1
    stage.registry.end_session(viewer.session, EndReason.DELETED, now)
    stage.registry.sweep(now + EVERY_S)
    settle()
    assert len(times) == 2
