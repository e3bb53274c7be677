"""People with earnings, and the steps of their payouts, over the HTTP application."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from identity.roles import Role
from ledger.gifts import GiftRequest

DESTINATION = "DE02 1203 0000 0000 2020 51"
EARNED = 7_000


async def earner(api: Any, *roles: Role) -> Any:
    """A streamer, of these roles beside, with 7,000 coins that have matured."""
    fan, streamer = await api.person(), await api.person(Role.STREAMER, *roles)
    stream, _ = await api.stream(streamer)
    await api.fund(fan, 10_000)
    await api.services.ledger.send_gift(
        GiftRequest(
            request_id=uuid4(),
            payer_id=fan.user_id,
            payer_name=fan.name,
            payee_id=streamer.user_id,
            stream_id=stream.stream_id,
            gift_id="diamond",
            count=10,
        )
    )
    await api.services.ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
    return streamer


def wish(amount_minor: Any = 5_000, **fields: Any) -> dict[str, Any]:
    """The body of a request for a payout."""
    sound = {
        "request_id": str(uuid4()),
        "amount_minor": amount_minor,
        "destination": DESTINATION,
    }
    return sound | fields


async def steps(api: Any) -> None:
    """Do all steps that are due."""
    runner = api.services.payouts.runner
    await runner.open()
    while await runner.turn():
        pass


async def asked(api: Any, person: Any, amount_minor: int = 5_000) -> str:
    """Ask for a payout, and do its first steps; its id."""
    reply = await api("POST", "/api/me/payouts", wish(amount_minor), by=person)
    assert reply.status == 201, reply.text
    await steps(api)
    return str(reply.json["payout_id"])
