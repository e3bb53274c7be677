"""Where the payout provider tells what became of payouts."""

from server.gateway.access import PAYOUT_SIGNATURE
from server.gateway.route import Answer, Call
from server.http.shapes import Shape


class NoticeTaken(Shape):
    """`meaning`: news, known, or a contradiction that an admin will look at."""

    meaning: str


async def take(call: Call) -> Answer:
    """Take a signed notice of the payout provider, once."""
    meaning = await call.services.payouts.notices.take(
        call.request.headers[PAYOUT_SIGNATURE], call.text.encode()
    )
    return Answer(NoticeTaken(meaning=meaning.value))
