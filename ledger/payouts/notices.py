"""Notices of a provider (webhooks): signed, of now, and each taken once.

The header is `t=<seconds since 1970>,v1=<hex of HMAC-SHA256>`, over the time, a dot and the body as
it is; there may be several `v1`, one a key, while keys change. The time is part of what is signed,
so a notice that was caught on its way can't be sent again later; within the tolerance its id tells.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from ledger.payouts.errors import BadNotice, BadSignature
from ledger.payouts.payout import MAX_REASON_CHARS
from ledger.payouts.provider import MAX_REFERENCE_CHARS
from ledger.payouts.results import PayoutResult, ResultStatus

MAX_ID_CHARS = 100
MAX_SIGNATURES = 4
MAX_HEADER_CHARS = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """A result with the provider's id for the notice, and the digest of its bytes."""

    notice_id: str
    digest: bytes
    result: PayoutResult


def signature(key: bytes, time_s: int, body: bytes) -> str:
    """The header for a body, signed with one key."""
    return f"t={time_s},v1={_mac(key, time_s, body)}"


def verify(
    header: str, body: bytes, keys: Sequence[bytes], now: datetime, tolerance_s: float
) -> None:
    """Raises BadSignature unless one of the keys signed the body, at a time close to `now`."""
    if len(header) > MAX_HEADER_CHARS or not header.isascii():
        raise BadSignature
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"][:MAX_SIGNATURES]
    if len(times) != 1 or not times[0].isdecimal() or len(times[0]) > 12:
        raise BadSignature
    time_s = int(times[0])
    # All are compared, in constant time each: how long it takes says nothing of what is right.
    matches = [hmac.compare_digest(_mac(key, time_s, body), mac) for key in keys for mac in given]
    if not any(matches) or abs(now.timestamp() - time_s) > tolerance_s:
        raise BadSignature


def parse(body: bytes) -> Notice:
    """The notice in a body whose signature was verified. Raises BadNotice."""
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadNotice("The body is no JSON.") from None
    if not isinstance(values, dict):
        raise BadNotice("The body is no JSON object.")
    notice_id = _text(values, "id", MAX_ID_CHARS)
    status, payout_id, amount = (values.get(n) for n in ("status", "payout_id", "amount_minor"))
    if notice_id is None or status not in tuple(ResultStatus):
        raise BadNotice(f"Give an id, and a status of {', '.join(ResultStatus)}.")
    if type(amount) is not int or not 0 < amount < 2**63:
        raise BadNotice("amount_minor: give a whole number of minor units.")
    try:
        parsed_id = UUID(payout_id)
    except (ValueError, AttributeError, TypeError):
        raise BadNotice("payout_id: give the UUID of the order.") from None
    result = PayoutResult(
        payout_id=parsed_id,
        status=ResultStatus(status),
        amount_minor=amount,
        currency=_text(values, "currency", 8) or "",
        reference=_text(values, "reference", MAX_REFERENCE_CHARS),
        reason=_text(values, "reason", MAX_REASON_CHARS),
    )
    return Notice(notice_id, hashlib.sha256(body).digest(), result)


def _text(values: dict[str, Any], name: str, most: int) -> str | None:
    text = values.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not 0 < len(text) <= most or not text.isprintable():
        raise BadNotice(f"{name}: give one line of 1 to {most} characters.")
    return text


def _mac(key: bytes, time_s: int, body: bytes) -> str:
    return hmac.new(key, b"%d." % time_s + body, hashlib.sha256).hexdigest()
