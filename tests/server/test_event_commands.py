"""The commands over real stores, as the command line calls them."""

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from config.settings import Settings
from config.stores import StoreSettings
from server.bus import STREAM_KEY
from server.bus.dead_letters import returned_key
from server.cli import COMMANDS, _parser


@pytest.fixture
def settings(database_url: str, redis_url: str, data_dir: Path) -> Settings:
    stores = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    return Settings(stores=stores)


class Terminal:
    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self._settings = settings
        self._capsys = capsys

    async def __call__(self, line: str) -> str:
        arguments = _parser().parse_args(["events", *line.split()])
        await COMMANDS[arguments.command].run(self._settings, arguments)
        return self._capsys.readouterr().out


@pytest.fixture
def events(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(settings, capsys)


async def test_a_replay_is_asked_for(events: Terminal, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE ledger.event_cursors SET sequence = 8 WHERE consumer = 'stream'")
    assert "behind 3 up to 8" in await events("replay --consumer kafka --from 3")
    assert "behind 0 up to 8" in await events("replay --consumer kafka --from 2026-01-31T12:00:00Z")
    shown = await events("consumers")
    assert "kafka: never ran of 8 published, 0 dead letters" in shown
    assert "replay to 8, now at 3: asked for by command" in shown


async def test_dead_letters_are_shown_sent_back_and_discarded(
    events: Terminal, redis: Redis
) -> None:
    for number in range(4):
        await redis.xadd(
            f"{STREAM_KEY}:dead:aml",
            {"events": f"[{number}]", "reason": "poison"},
            f"{number + 1}-0",
        )
    shown = await events("dead-letters --consumer aml")
    assert "1-0 1970-01-01 00:00:00 poison\n  [0]\n" in shown
    assert "4 dead letters" in shown
    assert "1 dead letters were sent back" in await events("retry --consumer aml 2-0")
    assert "1 dead letters of aml were discarded" in await events("discard --consumer aml 1-0")
    assert "2 dead letters were sent back" in await events("retry --consumer aml all")
    assert await redis.xlen(returned_key("aml")) == 3
    assert "0 dead letters" in await events("dead-letters --consumer aml")


@pytest.mark.parametrize(
    "line",
    [
        "replay --consumer aml",
        "replay --consumer aml --from soon",
        "replay --consumer chat --from 0",
        "retry --consumer aml",
        "dead-letters",
    ],
)
def test_bad_words_are_refused(line: str) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["events", *line.split()])
