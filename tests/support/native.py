"""The native module for tests: there, or the one reason why its tests are left out."""

import os

import pytest


def require_native() -> None:
    """Skip the calling module where `media._native` was not built.

    With SOCIALLIVE_NATIVE=require that is a failure instead.
    """
    try:
        import media._native  # noqa: F401, PLC0415
    except ImportError as error:
        if os.environ.get("SOCIALLIVE_NATIVE") == "require":
            pytest.fail(f"the native module was to be built: {error}", pytrace=False)
        pytest.skip("the native module was not built here", allow_module_level=True)
