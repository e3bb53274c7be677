"""The place that the event loop asks for, as far as this process may have it."""

import os
import sys
import threading

import pytest

from media.prompt import promptly
from tests.support.native import require_native


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def may_have_more() -> bool:
    """Whether a thread of this process is granted a lower nice."""
    granted = []

    def ask() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice() - 1)
        except PermissionError:
            return
        granted.append(True)

    in_thread(ask)
    return bool(granted)


def in_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_the_loop_goes_before_others_within_the_block_alone() -> None:
    require_native()
    before = nice()
    with promptly():
        assert nice() == (max(before - 15, -20) if may_have_more() else before)
    assert nice() == before


def test_what_it_starts_is_ordinary() -> None:
    require_native()
    before, inside = nice(), []
    with promptly():
        in_thread(lambda: inside.append(nice()))
    assert inside == [max(before, 0)]


def test_without_the_native_module_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    before = nice()
    monkeypatch.setitem(sys.modules, "media._native", None)
    monkeypatch.delattr("media._native", raising=False)
    with promptly():
        assert nice() == before


def test_no_thread_has_such_a_nice() -> None:
    require_native()
    from media import _native  # noqa: PLC0415

    with pytest.raises(ValueError, match="a nice of 40"):
        _native.be_ordinary(40)
