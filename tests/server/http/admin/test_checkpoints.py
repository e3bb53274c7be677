from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.ledger import EvidenceSettings
from identity.roles import Role
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import Checkpoint, read_export
from ledger.evidence.signer import Signer
from ledger.store.evidence import EvidenceStore

PATH = "/api/admin/ledger/checkpoints"


def clock() -> datetime:
    return datetime.now(UTC)


async def signed(api: Any, pool: asyncpg.Pool, keys: Path) -> Checkpoint:
    """A checkpoint of something that was just posted."""
    await api.fund(await api.person(), 10)
    store = EvidenceStore(pool)
    await Chainer(store, EvidenceSettings(), clock=clock).catch_up()
    made = await Signer(store, EvidenceSettings(), keys, clock=clock).sign_now()
    assert made is not None
    return made


async def test_checkpoints_are_listed_newest_first(
    api: Any, pool: asyncpg.Pool, checkpoint_keys: Path
) -> None:
    admin = await api.person(Role.ADMIN)
    older = await signed(api, pool, checkpoint_keys)
    newer = await signed(api, pool, checkpoint_keys)
    first = (await api("GET", f"{PATH}?limit=1", by=admin)).json
    assert [each["position"] for each in first["checkpoints"]] == [newer.position]
    assert first["next_cursor"] == newer.position
    second = (await api("GET", f"{PATH}?limit=1&cursor={newer.position}", by=admin)).json
    [shown] = second["checkpoints"]
    assert set(shown) == {"position", "sequence", "hash", "signed_at", "key_id", "signature"}
    assert (shown["position"], shown["hash"]) == (older.position, older.hash.hex())


async def test_one_is_exported_with_the_key_that_proves_it(
    api: Any, pool: asyncpg.Pool, checkpoint_keys: Path
) -> None:
    admin = await api.person(Role.ADMIN)
    older = await signed(api, pool, checkpoint_keys)
    newer = await signed(api, pool, checkpoint_keys)
    for name, wanted in (("newest", newer), (str(older.position), older)):
        reply = await api("GET", f"{PATH}/{name}", by=admin)
        assert reply.status == 200
        [found], keys = read_export(orjson.dumps(reply.json))
        assert found == wanted
        assert set(keys) == {wanted.key_id}
        assert all(isinstance(key, Ed25519PublicKey) for key in keys.values())
        assert found.fault(keys) is None


@pytest.mark.parametrize("name", ["0", str(10**17), "9" * 19, "9" * 30, "-1", "x", "%D9%A1"])
async def test_what_was_not_signed_is_not_found(api: Any, name: str) -> None:
    reply = await api("GET", f"{PATH}/{name}", by=await api.person(Role.ADMIN))
    assert (reply.status, reply.code) == (404, "not_found")


async def test_bad_pages_are_refused(api: Any) -> None:
    admin = await api.person(Role.ADMIN)
    for query in ("cursor=0", "cursor=x", f"cursor={2**63}", "limit=0", "limit=101"):
        assert (await api("GET", f"{PATH}?{query}", by=admin)).status == 422, query
