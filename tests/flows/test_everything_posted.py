"""Whoever works as the server's role posts everything there is to post, and the ledger is sound.

On the embedded PostgreSQL, and where it is installed on the oldest that docs/OPERATIONS.md names.
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from config.ledger import EvidenceSettings
from config.stores import StoreSettings
from ledger.evidence.verify import Verifier
from ledger.store.evidence import EvidenceStore
from server.catch_up import chain_what_waits
from server.embedded.postgres import installation
from server.stores import open_stores
from tests.support.forger import newest_hold
from tests.support.history import capture, fund, give, reserve, reverse, send, void

OLDEST = Path("/usr/lib/postgresql/15")  # as Debian 12 has it
INSTALLATIONS = [installation(), *filter(Path.exists, [OLDEST])]
MATURE = "SELECT * FROM ledger.mature_earnings('COIN', now(), $1, 10, 'Earnings')"


@pytest.mark.slow
@pytest.mark.parametrize("installed", INSTALLATIONS, ids=lambda path: path.name)
async def test_everything_is_posted(
    installed: Path, data_dir: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.embedded.postgres.installation", lambda: installed)
    settings = StoreSettings(data_dir=data_dir, redis_url=SecretStr(redis_url))
    async with open_stores(settings) as stores:
        pool, ann, ben = stores.pool, uuid4(), uuid4()
        assert await pool.fetchval("SELECT current_user") == "sociallive_app"
        await fund(pool, ann, 1_000, reference="acme-1")
        gift = await give(pool, ann, ben, 100, kind="gift")
        await send(pool, ann, ben, 50, fee_minor=5)
        await reverse(pool, gift, 10)
        for close in (void, capture):
            await reserve(pool, ann, 10)
            await close(pool, await newest_hold(pool))
        matured = await pool.fetchrow(MATURE, UUID(int=0))
        assert matured["matured"] == 1
        assert await chain_what_waits(pool, EvidenceSettings()) > 0
        report = await Verifier(EvidenceStore(pool), keys={}, now=datetime.now(UTC)).verify()
        assert report.findings == ()
