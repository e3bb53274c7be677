from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from identity.roles import Role


async def party(api: Any, coins: int = 500) -> tuple[Any, Any, str]:
    """A viewer with coins, a streamer, and where to send the streamer gifts."""
    viewer, streamer = await api.person(), await api.person(Role.STREAMER)
    stream, _ = await api.stream(streamer)
    await api.fund(viewer, coins)
    return viewer, streamer, f"/api/streams/{stream.stream_id}/gifts"


def roses(count: Any = 2, gift_id: str = "rose") -> dict[str, Any]:
    return {"request_id": str(uuid4()), "gift_id": gift_id, "count": count}


async def test_the_catalogue_is_public(api: Any) -> None:
    reply = await api("GET", "/api/gifts")
    assert reply.status == 200
    assert set(reply.json) == {"gifts", "max_count"}
    rose = next(gift for gift in reply.json["gifts"] if gift["gift_id"] == "rose")
    assert rose == {
        "gift_id": "rose",
        "name": "Rose",
        "emoji": "🌹",
        "price_minor": 10,
        "currency": "COIN",
    }


async def test_a_gift_moves_coins_once(api: Any) -> None:
    viewer, streamer, path = await party(api)
    body = roses()
    first = await api("POST", path, body, by=viewer)
    assert first.status == 201
    receipt = first.json
    assert receipt | {"transaction_id": "", "posted_at": ""} == {
        "request_id": body["request_id"],
        "transaction_id": "",
        "gift_id": "rose",
        "count": 2,
        "total_minor": 20,
        "currency": "COIN",
        "balance_minor": 480,
        "posted_at": "",
    }
    assert UUID(receipt["transaction_id"])
    assert datetime.fromisoformat(receipt["posted_at"]).tzinfo is not None

    again = await api("POST", path, body, by=viewer)
    assert (again.status, again.json) == (200, receipt)
    other = await api("POST", path, body | {"count": 3}, by=viewer)
    assert (other.status, other.code) == (409, "idempotency_mismatch")

    wallet = await api("GET", "/api/me/wallet", by=viewer)
    assert wallet.json == {
        "balance_minor": 480,
        "held_minor": 0,
        "earnings_minor": 0,
        "earnings_available_minor": 0,
        "currency": "COIN",
    }
    earned = (await api("GET", "/api/me/wallet", by=streamer)).json
    assert (earned["balance_minor"], earned["earnings_minor"]) == (0, 14)


BAD_GIFTS: list[tuple[dict[str, Any], int, str]] = [
    ({"count": 0}, 422, "invalid_count"),
    ({"count": -1}, 422, "invalid_count"),
    ({"count": 10**30}, 422, "invalid_count"),
    ({"count": "2"}, 422, "invalid_request"),
    ({"count": 1.5}, 422, "invalid_request"),
    ({"count": True}, 422, "invalid_request"),
    ({"gift_id": "unicorn"}, 422, "unknown_gift"),
    ({"gift_id": "rose\x00"}, 422, "invalid_request"),
    ({"gift_id": "castle"}, 409, "insufficient_funds"),
    ({"request_id": "17"}, 422, "invalid_request"),
    ({"price": 1}, 422, "invalid_request"),
]


async def test_bad_gifts_are_refused_and_change_nothing(api: Any) -> None:
    viewer, _, path = await party(api)
    for change, status, code in BAD_GIFTS:
        reply = await api("POST", path, roses() | change, by=viewer)
        assert (reply.status, reply.code) == (status, code), change
    assert (await api("GET", "/api/me/wallet", by=viewer)).json["balance_minor"] == 500


async def test_gifts_to_nobody_and_to_oneself(api: Any) -> None:
    _, streamer, path = await party(api)
    own = await api("POST", path, roses(), by=streamer)
    assert (own.status, own.code) == (403, "own_stream")
    unknown = await api("POST", f"/api/streams/{uuid4()}/gifts", roses(), by=streamer)
    assert (unknown.status, unknown.code) == (404, "unknown_stream")


async def test_statements_page_through_an_account(api: Any) -> None:
    viewer, streamer, path = await party(api)
    for _ in range(3):
        await api("POST", path, roses(1), by=viewer)
    first = await api("GET", "/api/me/statement?limit=3", by=viewer)
    assert first.status == 200
    assert set(first.json) == {
        "account_id",
        "currency",
        "balance_minor",
        "opening_balance_minor",
        "closing_balance_minor",
        "lines",
        "next_cursor",
    }
    assert [line["amount_minor"] for line in first.json["lines"]] == [-10, -10, -10]
    assert [line["balance_minor"] for line in first.json["lines"]] == [470, 480, 490]
    cursor = first.json["next_cursor"]
    rest = await api("GET", f"/api/me/statement?limit=3&cursor={cursor}", by=viewer)
    assert [line["amount_minor"] for line in rest.json["lines"]] == [500]
    assert rest.json["next_cursor"] is None
    earned = await api("GET", "/api/me/statement?account=earnings", by=streamer)
    assert [line["amount_minor"] for line in earned.json["lines"]] == [7, 7, 7]


async def test_a_bad_page_is_refused(api: Any) -> None:
    viewer = await api.person()
    for query in ("limit=0", "limit=101", "limit=x", "account=other", "cursor=x", "other=1"):
        reply = await api("GET", f"/api/me/statement?{query}", by=viewer)
        assert (reply.status, reply.code) == (422, "invalid_request"), query


async def test_a_period_has_an_opening_and_a_closing_balance(api: Any) -> None:
    viewer, _, path = await party(api)
    await api("POST", path, roses(1), by=viewer)
    whole = await api("GET", "/api/me/statement", by=viewer)
    gift, grant = whole.json["lines"]
    assert (whole.json["opening_balance_minor"], whole.json["closing_balance_minor"]) == (0, 490)
    late = await api("GET", f"/api/me/statement?from={gift['created_at']}", by=viewer)
    assert (late.json["opening_balance_minor"], late.json["lines"]) == (500, [gift])
    early = await api("GET", f"/api/me/statement?to={gift['created_at']}", by=viewer)
    assert (early.json["closing_balance_minor"], early.json["lines"]) == (500, [grant])
    for at, balance in ((gift, 490), (grant, 500)):
        reply = await api("GET", f"/api/me/balance?at={at['created_at']}", by=viewer)
        assert reply.json == {"balance_minor": balance, "currency": "COIN", "at": at["created_at"]}


async def test_a_period_must_make_sense(api: Any) -> None:
    viewer = await api.person()
    empty = "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"
    for name in ("statement", "statement.csv", "statement.html"):
        for query in (empty, "from=yesterday", "from=2026-01-01", "from=2026-01-01T00:00:00"):
            reply = await api("GET", f"/api/me/{name}?{query}", by=viewer)
            assert (reply.status, reply.code) == (422, "invalid_request"), (name, query)
    assert (await api("GET", "/api/me/balance", by=viewer)).status == 422


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00"])
async def test_an_instant_at_the_edge_of_the_calendar_is_refused(api: Any, instant: str) -> None:
    viewer, admin = await api.person(), await api.person(Role.ADMIN)
    house = f"/api/admin/ledger/balance?account=fees&at={instant}"
    mine = [f"balance?at={instant}"]
    for name in ("statement", "statement.csv", "statement.html"):
        mine += [f"{name}?from={instant}", f"{name}?to={instant}"]
    for path, by in [(house, admin), *((f"/api/me/{each}", viewer) for each in mine)]:
        reply = await api("GET", path, by=by)
        assert (reply.status, reply.code) == (422, "invalid_request"), path


async def test_the_whole_calendar_is_a_period(api: Any) -> None:
    viewer, _, _ = await party(api)
    whole = "from=0001-01-02T00:00:00Z&to=9999-12-30T23:59:59Z"
    for name in ("statement", "statement.csv", "statement.html"):
        assert (await api("GET", f"/api/me/{name}?{whole}", by=viewer)).status == 200
    reply = await api("GET", "/api/me/balance?at=9999-12-30T23:59:59Z", by=viewer)
    assert reply.json["balance_minor"] == 500
    reply = await api("GET", "/api/me/balance?at=0001-01-02T00:00:00Z", by=viewer)
    assert reply.json["balance_minor"] == 0


async def test_a_statement_as_csv_and_as_a_page(api: Any) -> None:
    viewer, _, path = await party(api)
    await api("POST", path, roses(1), by=viewer)
    reply = await api("GET", "/api/me/statement.csv", by=viewer)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in reply.headers["Content-Disposition"]
    lines = reply.text.split("\r\n")
    assert [line.split(",")[5:7] for line in lines[1:3]] == [["500", "500"], ["-10", "490"]]
    page = await api("GET", "/api/me/statement.html", by=viewer)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.text.startswith("<!doctype html>")
    assert "1 × Rose" in page.text
