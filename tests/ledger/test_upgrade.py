"""What version 0.1 wrote is there after the upgrade: balances, statements, answers, events."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings, LedgerSettings
from ledger.errors import IdempotencyMismatch
from ledger.events import GiftSent, batch_from_json
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Verifier
from ledger.gifts import GiftRequest
from ledger.outbox import OutboxPublisher, Progress
from ledger.service import LedgerService
from ledger.store import LedgerStore, evidence, writer
from ledger.store.evidence import EvidenceStore
from server.database import create_pool
from server.grants import APP, READER, apply_grants
from server.migrations import migrate, migrations
from tests.support.history import fund, give, reverse

GRANT = "SELECT answer FROM ledger.post_grant($1, $2, $3, $4, $5, 'COIN', 'Coins granted', 'hello')"
GIFT = """
SELECT result, answer
FROM ledger.post_gift($1, $2, $3, 'Vera', $4, $5, 'rose', $6, $7, $8, 'COIN', 'Roses')
"""


@pytest.fixture
async def empty_url(stores) -> AsyncIterator[str]:
    """A database that nobody has migrated."""
    postgres, _ = stores
    admin = await asyncpg.connect(postgres.admin_url)
    name = f"old_{uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name} OWNER sociallive")
    yield f"{postgres.url.rpartition('/')[0]}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def old_url(empty_url: str) -> str:
    """A database as version 0.1 had it."""
    connection = await asyncpg.connect(empty_url)
    first = next(each for each in migrations() if each.domain == "ledger" and each.version == 1)
    await connection.execute(first.sql)
    await connection.execute(
        "CREATE TABLE schema_migrations (domain text, version integer, name text, checksum text,"
        " applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (domain, version))"
    )
    await connection.execute(
        "INSERT INTO schema_migrations VALUES ('ledger', 1, 'ledger', $1)", first.checksum
    )
    await connection.close()
    return empty_url


class Sink:
    def __init__(self):
        self.events = []

    async def publish(self, batches, after):
        for batch in batches:
            self.events += batch_from_json(batch.events)


async def test_the_books_of_the_first_version_are_there(old_url, recorder):
    payer, payee, admin = uuid4(), uuid4(), uuid4()
    request = GiftRequest(uuid4(), payer, "Vera", payee, uuid4(), "rose", 3)
    old = await asyncpg.connect(old_url)
    await old.execute("INSERT INTO ledger.accounts (code, currency) VALUES ('fees', 'GOLD')")
    await old.fetchval(GRANT, admin, uuid4(), b"g" * 32, payer, 500)
    for gift in (request, GiftRequest(uuid4(), payer, "Vera", payee, uuid4(), "rose", 1)):
        total = 10 * gift.count
        key = (payer, gift.request_id, gift.request_hash(), payee, gift.stream_id, gift.count)
        row = await old.fetchrow(GIFT, *key, total, total * 3 // 10)
        assert row["result"] == "posted"
    first = await old.fetchval(
        "SELECT answer FROM ledger.transactions WHERE caller_id = $1 AND request_id = $2",
        payer,
        request.request_id,
    )
    await migrate(old)
    await old.close()

    pool = await create_pool(old_url)
    ledger = LedgerService(
        LedgerSettings(),
        store := LedgerStore(pool, LedgerSettings()),
        wake=lambda: None,
        observer=recorder,
    )
    assert (await ledger.wallet(payer)).balance_minor == 460
    assert (await ledger.wallet(payee)).earnings_minor == 28
    assert (await ledger.trial_balance()).balanced
    statement = await ledger.statement(payer, account="wallet", cursor=None, limit=10)
    assert [line.balance_minor for line in statement.lines] == [460, 470, 500]

    again = await ledger.send_gift(request)
    assert again.repeated
    assert (again.balance_minor, again.total_minor) == (470, 30)
    assert str(again.transaction_id) in first
    with pytest.raises(IdempotencyMismatch):
        await ledger.send_gift(
            GiftRequest(
                **{name: getattr(request, name) for name in GiftRequest.__slots__} | {"count": 4}
            )
        )

    new = await ledger.send_gift(GiftRequest(uuid4(), payer, "Vera", payee, uuid4(), "rose", 1))
    assert new.balance_minor == 450
    assert (await ledger.wallet(payee)).earnings_minor == 35

    sink = Sink()
    publisher = OutboxPublisher(store, sink, LedgerSettings().outbox)
    while await publisher.publish_once() is not Progress.CAUGHT_UP:
        pass
    sent = [event for event in sink.events if isinstance(event.data, GiftSent)]
    assert [event.data.payee_balance_minor for event in sent] == [21, 28, 35]
    assert [event.sequence for event in sink.events] == sorted(
        {event.sequence for event in sink.events}
    )
    assert UUID(str(sent[0].data.transaction_id)) == again.transaction_id
    await ledger.close()
    pool.terminate()


OF_TRANSACTIONS = f"""
CREATE POLICY app_works ON ledger.transactions TO {APP} USING (true) WITH CHECK (true);
CREATE POLICY reader_sees_own ON ledger.transactions FOR SELECT TO {READER}
    USING (EXISTS (SELECT FROM ledger.journal_entries e
                   WHERE e.transaction_id = transactions.transaction_id));
ALTER TABLE ledger.transactions ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON ledger.journal_entries, ledger.transactions TO {READER};
"""
OF_ENTRIES = f"""
CREATE POLICY app_works ON ledger.journal_entries TO {APP} USING (true) WITH CHECK (true);
CREATE POLICY reader_sees_own ON ledger.journal_entries FOR SELECT TO {READER}
    USING (account_id IN (SELECT account_id FROM ledger.accounts));
ALTER TABLE ledger.journal_entries ENABLE ROW LEVEL SECURITY;
"""
POLICIES = {46: OF_ENTRIES + OF_TRANSACTIONS, 48: OF_TRANSACTIONS, 50: "SELECT"}
"""As they were before entries were shown by a view, and before transactions were."""
ASKED_BEFORE_50 = writer.SQL["post_gifts"].replace(
    ", sequence, events", ", NULL::bigint AS sequence, NULL AS events"
)
ASKED_BEFORE_55 = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


@pytest.mark.parametrize("version", POLICIES)
async def test_gifts_of_more_rows_and_of_one_are_alike(
    empty_url, stores, recorder, monkeypatch, version
):
    """A ledger at work, with a writer and a chainer that are up, is brought to gifts of one row."""
    owner = await asyncpg.connect(empty_url)
    known = migrations()
    with monkeypatch.context() as before:
        before.setattr(
            "server.migrations.migrations",
            lambda: [each for each in known if (each.domain, each.version) < ("ledger", version)],
        )
        await migrate(owner)
    await owner.execute(POLICIES[version])
    monkeypatch.setitem(writer.SQL, "post_gifts", ASKED_BEFORE_50)
    monkeypatch.setitem(evidence.SQL, "oldest_running", ASKED_BEFORE_55)
    pool = await create_pool(empty_url)
    ledger = LedgerService(
        LedgerSettings(),
        LedgerStore(pool, LedgerSettings()),
        wake=recorder.wake,
        observer=recorder,
    )
    chainer = Chainer(EvidenceStore(pool), EvidenceSettings(), clock=lambda: datetime.now(UTC))
    vera, streamer = uuid4(), uuid4()
    await fund(pool, vera, 1000)
    gifts = []
    for _ in range(2):
        await give(pool, vera, streamer, 50)
        request = GiftRequest(uuid4(), vera, "Vera", streamer, uuid4(), "rose", 2)
        gifts.append((await ledger.send_gift(request)).transaction_id)
        await reverse(pool, gifts[0], 10)
        await chainer.catch_up()
        await migrate(owner)
        assert await apply_grants(owner)
    await ledger.close()
    monkeypatch.undo()
    rows = [
        await owner.fetchval(f"SELECT count(*) FROM ledger.{table}")
        for table in ("posting_entries", "gift_entries", "posting_transactions", "transactions")
    ]
    assert rows == ([2 + 5 * 3, 1, 6, 7] if version == 46 else [2 + 4 * 3, 2, 5, 7])

    report = await Verifier(EvidenceStore(pool), keys={}, now=datetime.now(UTC)).verify()
    assert (report.findings, report.entries, report.unchained) == ((), 2 + 6 * 3, 0)
    pool.terminate()
    app = await create_pool(
        f"{stores[0].app_url.rpartition('/')[0]}/{empty_url.rpartition('/')[2]}"
    )
    store = LedgerStore(app, LedgerSettings(), reader=READER)
    ledger = LedgerService(LedgerSettings(), store, wake=recorder.wake, observer=recorder)
    for user, account, amounts in (
        (vera, "wallet", [10, -20, -50, 10, -20, -50, 1000]),
        (streamer, "earnings", [-7, 14, 45, -7, 14, 45]),
    ):
        page = await ledger.statement(user, account=account, cursor=None, limit=10)
        assert [line.amount_minor for line in page.lines] == amounts
        assert page.closing_balance_minor == sum(amounts)
    await ledger.send_gift(GiftRequest(uuid4(), vera, "Vera", streamer, uuid4(), "rose", 1))
    await ledger.close()
    app.terminate()
    await owner.close()
