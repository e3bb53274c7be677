"""The demo as a whole: a live channel, and viewers who chat and give."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.chat import ChatSettings
from config.http import HttpSettings
from config.media import MediaSettings
from config.settings import Settings
from config.stores import StoreSettings
from media.catalog import CatalogState
from server.app import running
from server.demo import bots
from server.demo.run import demo_contents
from tests.support.chat_client import chatting


@pytest.mark.slow
async def test_the_channel_goes_live_and_its_viewers_talk_and_give(
    database_url: str,
    redis_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bots, "PAUSE_S", (0.05, 0.1))
    settings = Settings(
        http=HttpSettings(port=0),
        chat=ChatSettings(port=0),
        media=MediaSettings(udp_port=0),
        stores=StoreSettings(
            data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
        ),
    )
    async with running(settings) as app, demo_contents(app, with_channel=True):
        assert "Social Live is ready." in capsys.readouterr().out
        async with asyncio.timeout(20):
            while not (live := await app.services.catalog.live()):
                await asyncio.sleep(0.05)
        assert live[0].state is CatalogState.LIVE
        async with chatting(app.urls.chat) as guest:
            await guest.ask("join", stream_id=str(live[0].stream_id))
            await guest.event("message")
            await guest.event("gift")
