"""The event loop's place among all that wants the processor.

Beside a plane that sends for milliseconds at a time a loop of small turns would wait for as long.
It asks for short slices and, where the process may (CAP_SYS_NICE), for more weight than the plane
has; what is started meanwhile, threads and processes, has the ordinary place.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def promptly() -> Iterator[None]:
    """The calling thread, a loop's, has that place within the block; nothing without the native
    module, whose plane it is asked for."""
    try:
        from media import _native  # noqa: PLC0415 (it may not be there)
    except ImportError:
        yield
        return
    nice = _native.be_prompt()
    try:
        yield
    finally:
        _native.be_ordinary(nice)
