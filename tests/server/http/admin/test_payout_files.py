"""Files of payouts out, files of results in."""

import csv
import hashlib
import io
from typing import Any
from uuid import uuid4

from identity.roles import Role
from tests.support.payout_desk import DESTINATION, asked, earner, steps

CSV = {"Content-Type": "text/csv"}
HEADER = "payout_id,amount_minor,currency,status,reference,reason"


def results(*rows: str) -> bytes:
    total = sum(int(row.split(",")[1]) for row in rows)
    return "\r\n".join([HEADER, *rows, f"TOTAL,{len(rows)},{total},,,", ""]).encode()


async def test_payouts_go_out_in_a_file_and_come_back_in_one(api: Any) -> None:
    admin, streamer = await api.person(Role.ADMIN), await earner(api)
    payout = await asked(api, streamer)
    batch = f"/api/admin/payout-batches/{uuid4()}"
    made = await api("PUT", batch, by=admin)
    assert (made.status, made.json["sealed_at"]) == (200, None)
    early = await api("GET", f"{batch}/file", by=admin)
    assert (early.status, early.code) == (409, "batch_not_ready")
    assert int(early.headers["Retry-After"]) > 0
    await steps(api)

    file = await api("GET", f"{batch}/file", by=admin)
    assert file.status == 200
    assert file.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in file.headers["Content-Disposition"]
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(file.text))}
    assert rows[payout] == ["5000", "COIN", DESTINATION]
    again = await api("PUT", batch, by=admin)
    assert again.json["sha256"] == hashlib.sha256(file.text.encode()).hexdigest()
    assert (await api("GET", f"{batch}/file", by=admin)).text == file.text
    listed = (await api("GET", "/api/admin/payout-batches?limit=1", by=admin)).json
    assert listed["batches"] == [again.json]

    content = results(f"{payout},5000,COIN,settled,TX-1,", f"{uuid4()},1,COIN,settled,,")
    taking = f"/api/admin/payout-imports/{uuid4()}"
    reply = await api("PUT", taking, data=content, headers=CSV, by=admin)
    assert reply.status == 200
    assert (reply.json["lines"], reply.json["news"], reply.json["known"]) == (2, 1, 0)
    assert [line["code"] for line in reply.json["refused"]] == ["not_found"]
    assert (await api("PUT", taking, data=content, headers=CSV, by=admin)).json == reply.json
    assert (await api("GET", taking, by=admin)).json == reply.json
    other = f"/api/admin/payout-imports/{uuid4()}"
    repeated = await api("PUT", other, data=content, headers=CSV, by=admin)
    assert (repeated.status, repeated.code) == (409, "duplicate_file")
    mine = (await api("GET", f"/api/me/payouts/{payout}", by=streamer)).json
    assert mine["status"] == "paid"


async def test_a_bad_file_is_named_line_by_line(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    path = f"/api/admin/payout-imports/{uuid4()}"
    content = results("x,1,COIN,settled,,", f"{uuid4()},5,COIN,paid,,")
    reply = await api("PUT", path, data=content, headers=CSV, by=admin)
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert [error["field"] for error in reply.json["errors"]] == ["line 2", "line 3"]
    wrong = await api("PUT", path, data=content, headers={"Content-Type": "text/plain"}, by=admin)
    assert wrong.code == "unsupported_media_type"
    latin = await api("PUT", path, data=b"\xff\xfe", headers=CSV, by=admin)
    assert latin.status == 400
    assert (await api("GET", path, by=admin)).code == "not_found"
    assert (await api("GET", f"/api/admin/payout-batches/{uuid4()}/file", by=admin)).status == 404
