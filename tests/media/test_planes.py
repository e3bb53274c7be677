"""Which plane a worker gets, and what happens where the native module was not built."""

import sys

import pytest

from config.media import MediaSettings
from media.errors import NoNativePlane
from media.plane import PlaneCounts
from media.planes import make_plane, python_plane
from tests.support.native import require_native


def made(plane: str) -> str:
    made_plane = make_plane(MediaSettings(udp_port=0, plane=plane))  # type: ignore[arg-type]
    assert made_plane.counts() == PlaneCounts()  # figures are read before the start, too
    made_plane.close()
    made_plane.close()
    return made_plane.kind


def test_the_native_plane_is_preferred() -> None:
    require_native()
    assert (made("auto"), made("native"), made("python")) == ("native", "native", "python")


def test_without_the_native_module_it_is_python_or_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "media.native_plane", None)
    assert (made("auto"), made("python")) == ("python", "python")
    with pytest.raises(NoNativePlane, match=r"media\._native was not built"):
        made("native")


def test_the_python_plane_is_made_unbound() -> None:
    plane = python_plane(MediaSettings(udp_port=0))
    with pytest.raises(RuntimeError, match="not open"):
        _ = plane.port
    plane.close()
