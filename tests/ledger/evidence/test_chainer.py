"""The chainer on a real log: what is linked, who links it, and that it goes on after anything."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.batches import assemble, batch_digest
from ledger.evidence.chainer import Chainer, Progress, Unchained
from ledger.evidence.links import GENESIS
from ledger.evidence.windows import FIRST, LAST
from ledger.store.evidence import EvidenceStore
from tests.support.history import fund, give


def clock():
    return datetime.now(UTC)


@pytest.fixture
def evidence(pool):
    return EvidenceStore(pool)


@pytest.fixture
def chainer(evidence):
    return Chainer(evidence, EvidenceSettings(), clock=clock)


def small(evidence, **fields):
    return Chainer(evidence, EvidenceSettings(**fields), clock=clock)


async def links(evidence):
    found = await evidence.links(0, 1000)
    heads = [GENESIS, *(link.hash for link in found)]
    assert all(link.follows_from(head) for link, head in zip(found, heads, strict=False))
    assert [link.position for link in found] == list(range(1, len(found) + 1))
    return found


async def chained(evidence):
    """Sequences of the batches that are linked."""
    return [link.sequence for link in await links(evidence) if link.kind == "batch"]


async def test_an_empty_ledger_has_no_chain(chainer, evidence):
    assert await chainer.chain_once() is Progress.CAUGHT_UP
    assert await links(evidence) == []


async def test_seals_and_batches_are_linked(pool, chainer, evidence):
    user = uuid4()
    await fund(pool, user, 100)
    await fund(pool, user, 50)
    assert await chainer.chain_once() is Progress.CAUGHT_UP
    found = await links(evidence)
    assert [link.kind for link in found] == ["seals", "batch", "batch", "requests"]
    batches = assemble(await evidence.streams(FIRST, LAST))
    assert [batch_digest(batch) for batch in batches] == [link.digest for link in found[1:3]]
    assert [(len(b.log), len(b.transactions), len(b.entries)) for b in batches] == [(1, 1, 204)] * 2
    assert chainer.figures.links == 4

    assert await chainer.chain_once() is Progress.CAUGHT_UP
    assert await links(evidence) == found


async def test_a_backlog_is_worked_off_in_turns(pool, evidence):
    user = uuid4()
    for _ in range(7):
        await fund(pool, user, 1)
    chainer = small(evidence, batch_events=3)
    assert await chainer.chain_once() is Progress.MORE
    assert len(await chained(evidence)) == 3
    await chainer.catch_up()
    assert len(await chained(evidence)) == 7


async def test_what_another_process_began_is_gone_on_with(pool, chainer, evidence):
    user = uuid4()
    await fund(pool, user, 1)
    await chainer.catch_up()
    await fund(pool, user, 1)
    await small(evidence).catch_up()
    assert len(await chained(evidence)) == 2


async def test_one_at_a_time(pool, chainer, evidence):
    await fund(pool, uuid4(), 1)
    async with evidence.turn() as turn:
        assert turn is not None
        assert await chainer.chain_once() is Progress.ELSEWHERE
    assert await chainer.chain_once() is Progress.CAUGHT_UP


async def test_two_that_run_together_link_everything_once(pool, evidence):
    both = [small(evidence, batch_events=2) for _ in range(2)]
    user = uuid4()

    async def post_and_link(chainer):
        for _ in range(8):
            await fund(pool, user, 1)
            await chainer.catch_up()

    await asyncio.gather(*map(post_and_link, both))
    await both[0].catch_up()
    assert len(await chained(evidence)) == 16
    assert sum(each.figures.links for each in both) == len(await links(evidence))


async def test_a_batch_that_commits_late_is_linked_in_its_place(pool, chainer, evidence):
    await fund(pool, user := uuid4(), 1)
    await chainer.catch_up()
    async with pool.acquire() as slow:
        await slow.execute("BEGIN")
        late = await slow.fetchval("SELECT ledger.next_batch()")
        await fund(pool, user, 1)
        assert await chainer.chain_once() is Progress.GAP
        assert await chained(evidence) == [late - 1]
        await slow.execute(
            "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
            " VALUES ($1, 0, 1, now(), '[]')",
            late,
        )
        await slow.execute("COMMIT")
    await chainer.catch_up()
    assert await chained(evidence) == [late - 1, late, late + 1]


async def test_a_number_that_was_rolled_back_holds_nothing_up(pool, chainer, evidence):
    await fund(pool, user := uuid4(), 1)
    async with pool.acquire() as slow:
        await slow.execute("BEGIN")
        await slow.fetchval("SELECT ledger.next_batch()")
        await fund(pool, user, 1)
        await slow.execute("ROLLBACK")
    await chainer.catch_up()
    assert len(await chained(evidence)) == 2


async def test_a_transaction_that_posts_nothing_holds_nothing_up(pool, chainer, evidence):
    await fund(pool, user := uuid4(), 1)
    async with pool.acquire() as other, other.transaction():
        await other.fetchval("SELECT pg_current_xact_id()::text")
        await pool.fetchval("SELECT ledger.next_batch()")  # of a posting that was refused
        await fund(pool, user, 1)
        assert await chainer.chain_once() is Progress.GAP
        assert await chainer.chain_once() is not Progress.GAP
    assert len(await chained(evidence)) == 2


async def test_what_changes_in_an_account_is_sealed_again(pool, chainer, evidence):
    user = uuid4()
    await fund(pool, user, 10)
    await give(pool, user, uuid4(), 10)
    await chainer.catch_up()
    before = len(await links(evidence))
    assert await evidence.unlike_their_seal(10) == []
    for change in (
        "SELECT ledger.close_account($1, 'wallet', 'COIN')",
        "SELECT ledger.describe_account($1, 'wallet', 'COIN', '{\"why\": 1}')",
    ):
        await pool.fetch(change, user)
        assert await evidence.unlike_their_seal(10) == []  # it waits to be sealed
        await chainer.catch_up()
    assert [link.kind for link in (await links(evidence))[before:]] == [
        *("seals", "seals"),
        *("batch", "requests"),  # it is told of what the account was described with
    ]
    assert await pool.fetchval(
        "SELECT closed_at IS NOT NULL AND metadata = '{\"why\": 1}' FROM ledger.accounts"
        " WHERE owner_id = $1 AND code = 'wallet'",
        user,
    )
    assert await evidence.unlike_their_seal(10) == []
    assert await evidence.seals_of_another_kind(10) == []


async def test_balances_are_no_reason_to_seal(pool, chainer):
    user = uuid4()
    await fund(pool, user, 10)
    await chainer.catch_up()
    await fund(pool, user, 10)
    assert await pool.fetchval("SELECT count(*) FROM ledger.unsealed_accounts") == 0


async def test_the_chain_is_append_only(pool, chainer):
    await fund(pool, uuid4(), 1)
    await chainer.catch_up()
    for table in ("chain", "account_seals", "checkpoints"):
        for statement in ("DELETE FROM", "TRUNCATE"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await pool.execute(f"{statement} ledger.{table}")


class Broken:
    """A store that is away twice, and then has an empty log."""

    def __init__(self):
        self.calls = 0
        self.worked = asyncio.Event()

    def turn(self):
        self.calls += 1
        if self.calls < 3:
            raise ConnectionError("away")
        self.worked.set()
        return self

    async def __aenter__(self):
        return None

    async def __aexit__(self, *_):
        return None


async def test_a_store_that_is_away_is_tried_again():
    store = Broken()
    chainer = small(store, chain_every_s=0.001)
    task = asyncio.create_task(chainer.run())
    async with asyncio.timeout(5):
        await store.worked.wait()
    task.cancel()
    assert chainer.figures.failures == 2


async def test_the_lag_is_the_age_of_the_oldest_batch(pool, evidence):
    await fund(pool, uuid4(), 1)
    later = Chainer(evidence, EvidenceSettings(), clock=lambda: clock() + timedelta(hours=1))
    async with evidence.turn() as turn:
        page = await turn.unchained(0, 10)
    assert isinstance(page, Unchained)
    later._look(page)
    assert 3600 <= later.figures.lag_s < 3700
    await later.catch_up()
    assert later.figures.lag_s == 0
