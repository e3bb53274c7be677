"""The rules of the house, each a function from sources to offences.

An offence reads "path: what is wrong; what to do". `tests/test_tidy.py` applies the rules. Which
part may import which other is in pyproject.toml instead.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# The drivers that a domain may know, each in one file of it, or of each part that is named here.
DRIVERS = {
    "media": {"asyncpg", "OpenSSL", "pylibsrtp"},
    "chat": {"msgpack", "websockets"},
    "ledger": {"asyncpg"},
    "compliance": {"asyncpg"},
    "identity": {"argon2", "asyncpg", "jwt"},
    "config": set[str](),
}
DRIVER_PACKAGES = ("ledger/store",)
"""Packages that count as one file: all of it is the driver's side of a part."""
PARTS = ("compliance/aml", "compliance/kyb", "ledger/event_store")
ALL_DRIVERS = set[str]().union(
    *DRIVERS.values(), {"aiohttp", "aioice", "aiokafka", "aiortc", "redis"}
)

CEILING_LINES = 400

DRAWERS = {"base", "common", "helper", "helpers", "misc", "shared", "stuff", "util", "utils"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
CLOCKS = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom"}
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")


@dataclass(frozen=True)
class Source:
    """A file, of Python mostly; `path` is relative to the house, with slashes."""

    path: str
    text: str

    @property
    def domain(self) -> str:
        return self.path.partition("/")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Top-level names of what is imported, inside functions too."""
        names = {
            alias.name
            for node in self.nodes
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        names |= {node.module or "" for node in self.nodes if isinstance(node, ast.ImportFrom)}
        return frozenset(name.partition(".")[0] for name in names)


def untested_modules(product: Iterable[Source], tests: set[str]) -> Iterator[str]:
    """Modules without their test file; packages and pure re-exports need none."""
    for source in product:
        folder, _, name = source.path.rpartition("/")
        mirrored = f"tests/{folder}/test_{name}"
        if name != "__init__.py" and not _only_imports(source.tree) and mirrored not in tests:
            yield f"{source.path}: write {mirrored}"


def _only_imports(tree: ast.Module) -> bool:
    """Whether there is nothing to test but a docstring, imports and `__all__`."""
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in tree.body
    )


def strange_drivers(product: Iterable[Source]) -> Iterator[str]:
    """Imports of drivers that the domain has no business with."""
    for source in product:
        allowed = DRIVERS.get(source.domain, ALL_DRIVERS)
        for driver in sorted(source.imports & ALL_DRIVERS - allowed):
            yield f"{source.path}: {driver} is no driver of {source.domain}; declare a Protocol"


def spread_drivers(product: Iterable[Source]) -> Iterator[str]:
    """Drivers that more than one file of a domain, or of a part of it, imports."""
    knowing: dict[tuple[str, str], list[str]] = {}
    for source in product:
        part = next((part for part in PARTS if source.path.startswith(f"{part}/")), source.domain)
        for driver in source.imports & DRIVERS.get(source.domain, set()):
            paths = knowing.setdefault((part, driver), [])
            package = next((each for each in DRIVER_PACKAGES if source.path.startswith(each)), None)
            if (place := package or source.path) not in paths:
                paths.append(place)
    for (part, driver), paths in sorted(knowing.items()):
        if len(paths) > 1:
            yield f"{', '.join(paths)}: {part} may know {driver} in one file only"


def environment_readers(product: Iterable[Source]) -> Iterator[str]:
    """Modules outside config/ that touch the environment."""
    for source in product:
        for node in source.nodes if source.domain != "config" else ():
            from_os = isinstance(node, ast.ImportFrom) and node.module == "os"
            names = {alias.name for alias in node.names} if from_os else set()  # type: ignore[attr-defined]
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
                names = {node.attr}
            for name in sorted(names & ENVIRONMENT):
                yield f"{source.path}: os.{name}; take a section of config/ instead"


def tall_files(files: Iterable[Source], ceilings: dict[str, int]) -> Iterator[str]:
    """Files above their ceiling, and ceilings that are higher than they need to be."""
    heights = {source.path: source.text.count("\n") for source in files}
    for path, lines in heights.items():
        ceiling = ceilings.get(path, CEILING_LINES)
        if lines > ceiling:
            yield f"{path}: {lines} lines, {ceiling} at most; split it by concept"
    for path, ceiling in ceilings.items():
        lines = heights.get(path, 0)
        if lines <= CEILING_LINES:
            yield f"{path}: needs no ceiling of its own any more; remove it from CEILINGS"
        elif lines < ceiling:
            yield f"{path}: lower its ceiling to {lines}"


def postponed_work(files: Iterable[Source]) -> Iterator[str]:
    """Lines that put something off."""
    for source in files:
        for number, line in enumerate(source.text.splitlines(), 1):
            if found := LATER.search(line):
                yield f"{source.path}:{number}: {found[1]}; do it, or leave it out"


def drawers(files: Iterable[Source]) -> Iterator[str]:
    """Modules and packages whose name does not say what is inside."""
    for source in files:
        for name in source.path.removesuffix(".py").split("/"):
            if name in DRAWERS:
                yield f"{source.path}: {name!r} says nothing; name it after its one concept"


def bare_excepts(files: Iterable[Source]) -> Iterator[str]:
    """`except:` without a type, which swallows cancellation and Ctrl-C."""
    for source in files:
        for node in source.nodes:
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                yield f"{source.path}:{node.lineno}: bare except; name what is expected"


def clock_readers(cores: Iterable[Source]) -> Iterator[str]:
    """Cores that ask for the time or for chance through modules that they may import."""
    for source in cores:
        for node in source.nodes:
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", None) or getattr(called, "id", None)
            if name in CLOCKS:
                yield f"{source.path}:{called.lineno}: {name}(); make it an argument"  # type: ignore[union-attr]


def unread_settings(product: Iterable[Source]) -> Iterator[str]:
    """Fields of settings that nothing reads, not even by a string with their name."""
    read = {
        str(getattr(node, "attr", None) or getattr(node, "value", None))
        for source in product
        for node in source.nodes
        if isinstance(node, ast.Attribute | ast.Constant)
    }
    for source in product:
        for node in source.tree.body if source.domain == "config" else ():
            if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
                for field in node.body:
                    name = ast.unparse(field.target) if isinstance(field, ast.AnnAssign) else None
                    if name is not None and name not in read:
                        yield f"{source.path}: nothing reads {node.name}.{name}; remove it"


def broken_links(page: Path) -> Iterator[str]:
    """Relative links of a Markdown page that lead nowhere."""
    for target in LINK.findall(page.read_text("utf-8")):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", path) and not (page.parent / path).exists():
            yield f"{page.name}: {target} leads nowhere"
