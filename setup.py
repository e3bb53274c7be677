"""Builds the native data plane of media where a C compiler and OpenSSL's headers are there.

Without them the installation goes on, says so in one line, and the server runs on the Python plane.
SOCIALLIVE_NATIVE=require makes that an error, =skip does not try.
Everything else about the package stands in pyproject.toml.
"""

import os
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

# Contracted products would give other doubles than Python has, where the processor can do them.
LANGUAGE = ["-std=gnu11", "-fno-strict-aliasing", "-ffp-contract=off", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wno-missing-field-initializers"]
HARDENING = [
    "-fstack-protector-strong",
    "-fstack-clash-protection",
    "-D_FORTIFY_SOURCE=2",
    "-fvisibility=hidden",
]
LINK = ["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
SANITIZERS = {
    "1": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
    "thread": ["-fsanitize=thread", "-fno-omit-frame-pointer"],
}


def native() -> Extension:
    """`media._native`.

    SOCIALLIVE_SANITIZE=1 builds it with AddressSanitizer and UBSan, =thread with ThreadSanitizer.
    """
    sanitizers = SANITIZERS.get(os.environ.get("SOCIALLIVE_SANITIZE", ""))
    flags = ["-O1", "-g", *sanitizers] if sanitizers else ["-O3", *HARDENING]
    return Extension(
        "media._native",
        sources=sorted(glob("media/native/*.c")),
        depends=sorted(glob("media/native/*.h")),
        libraries=["crypto"],
        extra_compile_args=[*LANGUAGE, *WARNINGS, *flags],
        extra_link_args=["-pthread", *(sanitizers or LINK)],
        optional=True,
    )


class BuildNative(build_ext):
    """Says in one line why there is no native module, where it can't be built."""

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except (CCompilerError, ExecError, PlatformError, OSError) as error:
            if os.environ.get("SOCIALLIVE_NATIVE") == "require":
                raise
            reason = str(error).splitlines()[0]
            print(f"media: no native data plane, the Python one will be used ({reason})")


skipped = os.environ.get("SOCIALLIVE_NATIVE") == "skip"
setup(ext_modules=[] if skipped else [native()], cmdclass={"build_ext": BuildNative})
