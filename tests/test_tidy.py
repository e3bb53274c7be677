"""Keeps the house: what a reviewer would otherwise have to say again and again.

Every rule of `tests.support.house_rules` is tested twice: the house has no offence against it, and
the rule sees one where there is one.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.house_rules import (
    Source,
    bare_excepts,
    broken_links,
    clock_readers,
    drawers,
    environment_readers,
    postponed_work,
    spread_drivers,
    strange_drivers,
    tall_files,
    unread_settings,
    untested_modules,
)

HOUSE = Path(__file__).parents[1]

PACKAGES = ("media", "chat", "ledger", "compliance", "identity", "server", "config")

# Files above the ceiling, with the lines they have. Numbers here only go down, and files leave.
CEILINGS: dict[str, int] = {}


def sources(*folders: str, pattern: str = "*.py") -> list[Source]:
    """The files of these folders whose name fits the pattern."""
    return [
        Source(path.relative_to(HOUSE).as_posix(), path.read_text("utf-8"))
        for folder in folders
        for path in sorted((HOUSE / folder).rglob(pattern))
        if "node_modules" not in path.parts
    ]


PRODUCT = sources(*PACKAGES)
EVERYTHING = [*PRODUCT, *sources("tests", "bench", "deploy")]
SQL = sources(*PACKAGES, pattern="*.sql")
PAGES = sources("web/src", pattern="*.ts*")
ABOUT_RULES = {"tests/test_tidy.py", "tests/support/house_rules.py"}
"""They spell out what they look for."""


def cores() -> list[Source]:
    """The modules that pyproject.toml names as cores."""
    with (HOUSE / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    [names] = [each["source_modules"] for each in contracts if each["name"].startswith("Cores")]
    paths = tuple(name.replace(".", "/") for name in names)
    return [
        each
        for each in PRODUCT
        if each.path.startswith(tuple(f"{p}/" for p in paths))
        or each.path.removesuffix(".py") in paths
    ]


def check(offenders: Iterable[str]) -> None:
    listed = list(offenders)
    assert not listed, "\n" + "\n".join(listed)


def test_every_module_has_its_test_file() -> None:
    check(untested_modules(PRODUCT, {source.path for source in EVERYTHING}))


def test_no_domain_knows_the_driver_of_another() -> None:
    check(strange_drivers(PRODUCT))


def test_a_driver_is_known_to_one_file() -> None:
    check(spread_drivers(PRODUCT))


def test_only_config_reads_the_environment() -> None:
    check(environment_readers(PRODUCT))


def test_no_file_is_above_its_ceiling() -> None:
    check(tall_files(EVERYTHING, CEILINGS))


def test_nothing_is_put_off() -> None:
    files = [*EVERYTHING, *SQL, *PAGES]
    check(postponed_work(each for each in files if each.path not in ABOUT_RULES))


def test_no_module_is_a_drawer() -> None:
    check(drawers(EVERYTHING))


def test_no_except_is_bare() -> None:
    check(bare_excepts(EVERYTHING))


def test_cores_are_given_the_time() -> None:
    assert cores()
    check(clock_readers(cores()))


def test_every_setting_does_something() -> None:
    check(unread_settings(PRODUCT))


@pytest.mark.parametrize(
    "page", sorted([*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]), ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    check(broken_links(page))


# ---- the rules see what they are there for ----

Rule = Callable[[Iterable[Source]], Iterator[str]]


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (strange_drivers, "chat/room.py", "import asyncpg"),
        (strange_drivers, "ledger/service.py", "from redis.asyncio import Redis"),
        (strange_drivers, "config/load.py", "def load():\n    import jwt"),
        (environment_readers, "chat/room.py", "import os\nos.environ['HOME']"),
        (environment_readers, "server/cli.py", "import os\nos.getenv('HOME')"),
        (environment_readers, "server/cli.py", "from os import environ"),
        (postponed_work, "chat/room.py", "pass  # TODO: rooms"),
        (postponed_work, "chat/room.py", "raise NotImplementedError"),
        (drawers, "chat/utils.py", ""),
        (drawers, "chat/helpers/room.py", ""),
        (bare_excepts, "chat/room.py", "try:\n    pass\nexcept:\n    pass"),
        (clock_readers, "chat/room.py", "from datetime import datetime\ndatetime.now()"),
        (clock_readers, "chat/room.py", "from uuid import uuid4\nuuid4()"),
        (unread_settings, "config/chat.py", "class ChatSettings:\n    port: int"),
    ],
)
def test_a_rule_sees_an_offence(rule: Rule, path: str, text: str) -> None:
    assert list(rule([Source(path, text)]))


def test_a_rule_lets_the_rest_pass() -> None:
    fine = [
        Source("ledger/store.py", "import asyncpg"),
        Source("compliance/audit.py", "import asyncpg"),
        Source("compliance/aml/store.py", "import asyncpg"),
        Source("config/load.py", "import os\nos.environ"),
        Source("config/chat.py", "class ChatSettings:\n    port: int"),
        Source("chat/server.py", "def serve(settings):\n    settings.port"),
    ]
    for rule in (strange_drivers, spread_drivers, environment_readers, unread_settings):
        assert list(rule(fine)) == []


def test_a_driver_in_two_files_is_seen() -> None:
    two = [Source(f"chat/{name}.py", "import msgpack") for name in ("frames", "room")]
    [offence] = spread_drivers(two)
    assert "chat/frames.py, chat/room.py" in offence
    package = [Source(f"ledger/store/{name}.py", "import asyncpg") for name in ("log", "writer")]
    assert list(spread_drivers(package)) == []
    [offence] = spread_drivers([*package, Source("ledger/service.py", "import asyncpg")])
    assert "ledger/store, ledger/service.py" in offence


def test_a_missing_test_file_is_seen() -> None:
    module = Source("chat/room.py", "ROOMS = 1")
    assert list(untested_modules([module], set())) == [
        "chat/room.py: write tests/chat/test_room.py"
    ]
    assert list(untested_modules([module], {"tests/chat/test_room.py"})) == []
    assert list(untested_modules([Source("chat/__init__.py", "A = 1")], set())) == []
    re_export = '"""Doors."""\nfrom chat.room import ROOMS\n__all__ = ["ROOMS"]'
    assert list(untested_modules([Source("chat/doors.py", re_export)], set())) == []


def test_a_ceiling_only_goes_down() -> None:
    tall, short = Source("chat/a.py", "\n" * 450), Source("chat/b.py", "\n" * 10)
    assert list(tall_files([tall, short], {"chat/a.py": 450})) == []
    assert len(list(tall_files([tall, short], {}))) == 1
    assert "lower" in next(tall_files([tall], {"chat/a.py": 460}))
    assert "remove" in next(tall_files([short], {"chat/b.py": 450}))


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "PAGE.md"
    page.write_text("[a](PAGE.md#top) [b](https://example.org) ![c](gone.png) [d](#here)")
    assert list(broken_links(page)) == ["PAGE.md: gone.png leads nowhere"]
