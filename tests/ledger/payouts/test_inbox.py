"""The inbox: signature first, then the notice, then its effect."""

import orjson
import pytest

from ledger.payouts.errors import BadNotice, BadSignature
from ledger.payouts.inbox import NoticeInbox
from ledger.payouts.notices import signature
from ledger.payouts.results import Meaning

KEY = b"k" * 32


def inbox(house, *keys):
    return NoticeInbox(
        "http", keys, tolerance_s=300, settlement=house.settlement, clock=house.clock
    )


async def test_a_signed_notice_settles_once(wired):
    payout = await wired.ask(wired.user())
    await wired.settle()
    body = orjson.dumps(
        {
            "id": "evt_1",
            "payout_id": str(payout.payout_id),
            "status": "settled",
            "amount_minor": 5_000,
            "currency": "COIN",
        }
    )
    header = signature(KEY, int(wired.clock().timestamp()), body)
    door = inbox(wired, KEY)
    assert await door.take(header, body) is Meaning.NEWS
    assert await door.take(header, body) is Meaning.KNOWN
    wired.clock.advance(301)
    with pytest.raises(BadSignature):
        await door.take(header, body)
    assert await wired.state(payout) == "settled"


async def test_what_is_not_signed_is_not_read(wired):
    body = b"not even JSON"
    time_s = int(wired.clock().timestamp())
    for door in (inbox(wired), inbox(wired, b"x" * 32)):
        with pytest.raises(BadSignature):
            await door.take(signature(KEY, time_s, body), body)
    with pytest.raises(BadNotice):
        await inbox(wired, KEY).take(signature(KEY, time_s, body), body)
