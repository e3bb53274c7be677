"""The door is an interface: what can go wrong is that an implementation lacks a part of it."""

import inspect

import pytest

from media.door import MediaDoor
from media.local import LocalMedia
from media.pool.pool import MediaPool

CALLS = sorted(name for name in vars(MediaDoor) if not name.startswith("_"))


@pytest.mark.parametrize("implementation", [LocalMedia, MediaPool])
@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_there_with_the_same_parameters(implementation: type, name: str) -> None:
    wanted, given = vars(MediaDoor)[name], getattr(implementation, name)
    if callable(wanted):
        assert inspect.signature(wanted) == inspect.signature(given)
        assert inspect.iscoroutinefunction(wanted) == inspect.iscoroutinefunction(given)
