"""What `sociallive demo` adds to a running server."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

from media.catalog import Stream
from server.app import RunningApp
from server.background import background
from server.demo.accounts import (
    BOTS,
    CHANNEL,
    COINS,
    FOR_PEOPLE,
    Credentials,
    DemoAccount,
    ensure_account,
)
from server.demo.banner import banner
from server.demo.bots import chatter
from server.demo.channel import keep_publishing

TITLE = "Social Live: the demo channel"


@asynccontextmanager
async def demo_contents(app: RunningApp, *, with_channel: bool) -> AsyncIterator[None]:
    """Ready accounts and, if wanted, a channel with viewers, while the block runs."""
    demo = _Demo(app)
    people = await demo.accounts(FOR_PEOPLE)
    async with AsyncExitStack() as stack:
        if with_channel:
            await stack.enter_async_context(demo.channel())
        print(banner(app.urls, people), flush=True)  # noqa: T201
        yield


class _Demo:
    def __init__(self, app: RunningApp) -> None:
        self._app = app

    async def accounts(self, wanted: tuple[DemoAccount, ...]) -> list[Credentials]:
        services = self._app.services
        return await asyncio.gather(
            *(
                ensure_account(each, services.identity, services.ledger, self._app.folder)
                for each in wanted
            )
        )

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[None]:
        """The channel is live when the block begins, unless FFmpeg takes longer than usual."""
        (owner,) = await self.accounts((CHANNEL,))
        stream, key = await self._stream(owner)
        viewers = await self.accounts(BOTS)
        whip_url = f"{self._app.urls.http}/whip/{stream.stream_id}"
        log_file = self._app.folder.path / "demo-channel.log"
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                background(
                    "demo channel",
                    functools.partial(keep_publishing, whip_url, key, log_file),
                )
            )
            for viewer in viewers:
                token = functools.partial(self._sign_in, viewer)
                await stack.enter_async_context(
                    background(
                        f"demo viewer {viewer.account.label}",
                        functools.partial(
                            chatter,
                            self._app.urls.chat,
                            stream.stream_id,
                            token,
                            viewer.account.label,
                        ),
                    )
                )
            yield

    async def _stream(self, owner: Credentials) -> tuple[Stream, str]:
        """The channel's stream with a new key: the server keeps no key that could be read."""
        catalog = self._app.services.catalog
        for stream in await catalog.owned(owner.user.user_id):
            return await catalog.rotate_key(stream.stream_id)
        return await catalog.create(owner.user.user_id, owner.user.display_name, TITLE)

    async def _sign_in(self, viewer: Credentials) -> str:
        """An access token of a viewer whose wallet is full enough for the time of the token."""
        services = self._app.services
        user_id: UUID = viewer.user.user_id
        if (await services.ledger.wallet(user_id)).balance_minor < COINS // 10:
            await services.ledger.grant(
                request_id=uuid4(),
                user_id=user_id,
                amount_minor=COINS,
                reason="Coins for a demo viewer",
                granted_by=user_id,
            )
        signed_in = await services.identity.login(
            email=viewer.account.email, password=viewer.password
        )
        return signed_in.access_token
