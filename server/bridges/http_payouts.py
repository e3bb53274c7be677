"""A payout provider over HTTP; docs/PROTOCOL.md says what is asked of it.

    POST {url}/payouts    Authorization: Bearer …, Idempotency-Key: <payout_id>
    {"payout_id", "amount_minor", "currency", "destination"}
    ← 200, 201 or 202 {"payout_id", "amount_minor", "currency", "reference"}    taken
    ← 422 {"payout_id", "reason"}                                               refused, for good

    GET {url}/payouts/{payout_id}
    ← 200 {"payout_id", "status", "amount_minor", "currency", "reference", "reason"}

Anything else, and anything that can't be read in time, may mean that it was taken: the same order
is sent again under the same key. Only an answer about another order is never asked for again.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import orjson

from config.payouts import HttpProviderSettings
from ledger.payouts.errors import ProviderContradicts, ProviderUnavailable
from ledger.payouts.payout import MAX_REASON_CHARS
from ledger.payouts.provider import MAX_REFERENCE_CHARS, Accepted, PayoutOrder, Refused
from ledger.payouts.results import CURRENCY, PayoutResult, ResultStatus

MAX_ANSWER_BYTES: Final = 64 * 1024
TAKEN: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
PENDING: Final = "pending"
NO_REASON: Final = "The payment provider refused it."


class HttpPayoutProvider:
    """`ledger.payouts.provider.PayoutProvider`; call `close` at the end."""

    name = "http"
    automatic = True

    def __init__(self, settings: HttpProviderSettings) -> None:
        """Of settings that have a url and a token."""
        if settings.url is None or settings.token is None:
            raise ValueError("a provider over HTTP needs a url and a token")
        self._url = f"{str(settings.url).rstrip('/')}/payouts"
        self._token = settings.token
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def submit(self, order: PayoutOrder) -> Accepted | Refused:
        """Hand an order over. Raises ProviderUnavailable, ProviderContradicts."""
        status, answer = await self._post(order)
        if status in TAKEN:
            _same_order(answer, order, ("payout_id", "amount_minor", "currency"))
            return Accepted(_line(answer, "reference", MAX_REFERENCE_CHARS))
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            _same_order(answer, order, ("payout_id",))
            return Refused(_line(answer, "reason", MAX_REASON_CHARS) or NO_REASON)
        raise ProviderUnavailable(f"The provider answered {status}.")

    async def look_up(self, order: PayoutOrder) -> PayoutResult | None:
        """What became of an order; None while it is pending. Raises ProviderUnavailable."""
        status, answer = await self._call("GET", f"{self._url}/{order.payout_id}", {})
        told, amount = answer.get("status"), answer.get("amount_minor")
        currency = str(answer.get("currency"))
        if status != HTTPStatus.OK or answer.get("payout_id") != str(order.payout_id):
            raise ProviderUnavailable(f"The provider answered {status}, and nothing of the order.")
        if told == PENDING:
            return None
        if told not in tuple(ResultStatus) or type(amount) is not int:
            raise ProviderUnavailable("The provider's answer can't be understood.")
        if CURRENCY.fullmatch(currency) is None:
            raise ProviderUnavailable("The provider's answer can't be understood.")
        return PayoutResult(
            payout_id=order.payout_id,
            status=ResultStatus(told),
            amount_minor=amount,
            currency=currency,
            reference=_line(answer, "reference", MAX_REFERENCE_CHARS),
            reason=_line(answer, "reason", MAX_REASON_CHARS),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, order: PayoutOrder) -> tuple[int, Mapping[str, Any]]:
        body = {
            "payout_id": str(order.payout_id),
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "destination": order.destination,
        }
        headers = {"Idempotency-Key": str(order.payout_id), "Content-Type": "application/json"}
        return await self._call("POST", self._url, headers, orjson.dumps(body))

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        bearer = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        try:
            async with self._opened().request(
                method, url, data=body, headers={**bearer, **headers}, allow_redirects=False
            ) as response:
                return response.status, await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The error's type alone: its text may have the address in it.
            raise ProviderUnavailable(f"No answer: {type(error).__name__}.") from None

    def _opened(self) -> aiohttp.ClientSession:
        """The session, made inside of the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """The JSON object of an answer that decides something; an empty one of any other."""
    if response.status not in TAKEN | {HTTPStatus.UNPROCESSABLE_ENTITY}:
        return {}
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise ProviderUnavailable("The provider's answer is too long.")
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ProviderUnavailable("The provider's answer is no JSON.") from None
    if not isinstance(answer, dict):
        raise ProviderUnavailable("The provider's answer is no JSON object.")
    return answer


def _same_order(answer: Mapping[str, Any], order: PayoutOrder, names: tuple[str, ...]) -> None:
    """Raises ProviderUnavailable where the answer doesn't say which order it is about, and
    ProviderContradicts where it is about another one."""
    for name in names:
        wanted = getattr(order, name)
        wanted = wanted if isinstance(wanted, int) else str(wanted)
        if name not in answer:
            raise ProviderUnavailable(f"The provider's answer has no {name}.")
        if type(answer[name]) is not type(wanted) or answer[name] != wanted:
            raise ProviderContradicts(
                f"The provider answered with another {name} than it was sent."
            )


def _line(answer: Mapping[str, Any], name: str, most: int) -> str | None:
    """One line of the answer; None where it has none, or none that can be kept."""
    text = answer.get(name)
    return text if isinstance(text, str) and 0 < len(text) <= most and text.isprintable() else None
