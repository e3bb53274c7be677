"""Child processes: readiness, stopping, and dying with their parent."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.embedded.account import Account
from server.embedded.child import Child, ChildFailed, ChildSpec

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def spec(tmp_path: Path, code: str, *, patience_s: float = 5.0) -> ChildSpec:
    return ChildSpec(
        name="Sample",
        command=(sys.executable, "-c", code),
        account=Account(uid=None, gid=None),
        log=tmp_path / "sample.log",
        stop_signal=signal.SIGTERM,
        stop_patience_s=patience_s,
    )


async def _not_ready() -> None:
    raise ConnectionRefusedError("nobody listens")


async def test_one_that_ends_at_start_is_reported_with_its_log(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, "raise SystemExit('no space left')"))
    with pytest.raises(ChildFailed, match="no space left"):
        await child.until_ready(_not_ready, patience_s=10)


async def test_one_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, "input()"))
    child_two = Child(spec(tmp_path, "import time; time.sleep(60)"))
    with pytest.raises(ChildFailed, match="nobody listens"):
        await child_two.until_ready(_not_ready, patience_s=0.1)
    await child.stop()
    await child_two.stop()


async def test_one_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, STUBBORN, patience_s=0.2))

    async def is_up() -> None:
        assert b"up" in (tmp_path / "sample.log").read_bytes()

    await child.until_ready(is_up, patience_s=10)
    await child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from tests_child_spec import spec
from server.embedded.child import Child
print(Child(spec(Path({str(tmp_path)!r}), "import time; time.sleep(60)")).pid, flush=True)
time.sleep(60)
"""
    (tmp_path / "tests_child_spec.py").write_text(Path(__file__).read_text("utf-8"))
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    descriptor = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await asyncio.wait_for(ended.wait(), 10)
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
    parent.stdout.close()
