"""The command `sociallive`.

sociallive up              run the server
sociallive demo            run it with ready accounts and a live channel
sociallive config show     print the effective settings, secrets masked
sociallive migrate         bring the database to this version, and stop
sociallive user add        make an account, for instance the first admin
sociallive backup          back up the database, while the server runs
sociallive restore         restore a backup into an empty database, or the embedded one to a moment
sociallive events …        consumers of the event stream: their state, replays, dead letters
sociallive ledger verify   replay the ledger, and check its hash chain and checkpoints
sociallive ledger checkpoints export | rotate-key
sociallive ledger reconcile  compare it with itself and the event stream, or with a provider's file
"""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from config.load import SettingsError, effective, load_settings
from config.settings import Settings
from identity.errors import IdentityError
from identity.roles import Role
from ledger.errors import LedgerRefusal
from server import backup_commands as backups
from server import event_commands as events
from server import evidence_commands as evidence
from server import reconcile_commands as reconcile
from server.commands import StartRefused, add_user, demo, migrate_database, up
from server.gateway.refusals import GatewayRefusal

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNSOUND = 3

Command = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One row of the table of commands."""

    help: str
    run: Command
    configure: Callable[[argparse.ArgumentParser], None] = lambda _: None


async def _up(settings: Settings, _: argparse.Namespace) -> None:
    await up(settings)


async def _demo(settings: Settings, arguments: argparse.Namespace) -> None:
    await demo(settings, with_channel=arguments.channel)


async def _migrate(settings: Settings, _: argparse.Namespace) -> None:
    for migration in await migrate_database(settings):
        print(f"applied {migration}")
    print("The database is at this version.")


async def _user_add(settings: Settings, arguments: argparse.Namespace) -> None:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    user = await add_user(
        settings,
        email=arguments.email,
        password=password,
        display_name=arguments.name,
        roles=frozenset(arguments.role),
    )
    print(f"{user.user_id} {user.email} {', '.join(sorted(user.roles))}")


async def _config_show(settings: Settings, _: argparse.Namespace) -> None:
    for section, fields in effective(settings).items():
        print(f"[{section}]")
        for name, value in fields.items():
            print(f"{name} = {_toml(value)}" if value is not None else f"# {name} is not set")
        print()


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-channel",
        dest="channel",
        action="store_false",
        help="leave out the demo channel and its viewers",
    )


def _user_options(parser: argparse.ArgumentParser) -> None:
    parser.description = "The password is asked for, or read from standard input."
    parser.add_argument("email")
    parser.add_argument("--name", required=True, help="the name others see")
    parser.add_argument(
        "--role", action="append", type=Role, choices=list(Role), default=[], help="may be repeated"
    )


COMMANDS: dict[tuple[str, ...], Subcommand] = {
    ("up",): Subcommand("run the server", _up),
    ("demo",): Subcommand(
        "run it with ready accounts and a live channel", _demo, configure=_demo_options
    ),
    ("config", "show"): Subcommand("print the effective settings", _config_show),
    ("migrate",): Subcommand("bring the database to this version", _migrate),
    ("user", "add"): Subcommand("make an account", _user_add, configure=_user_options),
    ("backup",): Subcommand("back up the database", backups.backup, backups.backup_options),
    ("restore",): Subcommand("restore a backup", backups.restore, backups.restore_options),
    ("events", "consumers"): Subcommand("how they stand", events.show_consumers),
    ("events", "replay"): Subcommand(
        "hand a part of the log to a consumer again", events.replay, events.replay_options
    ),
    ("events", "dead-letters"): Subcommand(
        "what a consumer could not handle", events.show_dead_letters, events.consumer_options
    ),
    ("events", "retry"): Subcommand(
        "have dead letters handled again", events.retry, events.letter_options
    ),
    ("events", "discard"): Subcommand("forget dead letters", events.discard, events.letter_options),
    ("ledger", "verify"): Subcommand(
        "replay the ledger and check its chain", evidence.verify, evidence.verify_options
    ),
    ("ledger", "reconcile"): Subcommand(
        "compare it with the event stream, or with a provider's file",
        reconcile.reconcile,
        reconcile.reconcile_options,
    ),
    ("ledger", "checkpoints", "export"): Subcommand(
        "write the signed checkpoints", evidence.export_checkpoints, evidence.export_options
    ),
    ("ledger", "checkpoints", "rotate-key"): Subcommand(
        "add a key that signs from now on", evidence.rotate_key
    ),
}


def main(argv: list[str] | None = None) -> None:
    """Run one command; exits with 1 when the server refuses to start and says why."""
    arguments = _parser().parse_args(argv)
    os.umask(0o022)
    try:
        settings = load_settings(arguments.config)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(COMMANDS[arguments.command].run(settings, arguments))
    except SettingsError as error:
        print("The settings can't be used:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    except (StartRefused, IdentityError, LedgerRefusal, GatewayRefusal) as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_REFUSED)
    except (evidence.LedgerUnsound, reconcile.DifferencesFound) as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_UNSOUND)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sociallive", description="A live-streaming server.")
    parser.add_argument("--config", type=Path, help="a TOML file of settings")
    top = parser.add_subparsers(required=True, metavar="command")
    groups: dict[tuple[str, ...], Any] = {(): top}
    for words, command in COMMANDS.items():
        parent = words[:-1]
        for depth in range(1, len(words)):
            if words[:depth] not in groups:
                group = groups[words[: depth - 1]].add_parser(
                    words[depth - 1], help=f"{words[depth - 1]}: {words[-1]}"
                )
                groups[words[:depth]] = group.add_subparsers(required=True, metavar="command")
        child = groups[parent].add_parser(words[-1], help=command.help)
        command.configure(child)
        child.set_defaults(command=words)
    return parser


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list():
            return f"[{', '.join(_toml(each) for each in value)}]"
        case dict():
            known = {key: each for key, each in value.items() if each is not None}
            return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in known.items())} }}"
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'


if __name__ == "__main__":
    main()
