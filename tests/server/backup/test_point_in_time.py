"""`sociallive backup --base`, `restore --at`: gifts go on after the moment that is wanted back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from config.ledger import LedgerSettings
from config.settings import Settings
from config.stores import StoreSettings
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.backup.point_in_time import _timeline, check_recovery
from server.backup.restore import RestoreRefused
from server.bus import STREAM_KEY
from server.cli import COMMANDS, _parser
from server.commands import StartRefused
from server.embedded.child import ChildFailed
from server.embedded.timelines import RUNS
from server.ledger_access import open_ledger
from server.stores import Stores, open_stores
from tests.server.backup.conftest import ADA, BO, Silent, gift, grant

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROSE = 10


@pytest.mark.parametrize(
    ("settings", "at", "why"),
    [
        (StoreSettings(), NOW, "archive"),
        (StoreSettings(archive_dir=Path("wal")), NOW, "still to come"),
        (
            StoreSettings(archive_dir=Path("wal"), database_url=SecretStr("postgresql://db/live")),
            NOW - timedelta(hours=1),
            "external",
        ),
    ],
)
def test_what_can_t_be_recovered_is_said(settings: StoreSettings, at: datetime, why: str) -> None:
    with pytest.raises(RestoreRefused, match=why):
        check_recovery(settings, at, NOW)


def test_a_moment_without_its_zone_is_refused() -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["restore", "base", "--at", "2026-01-31T12:00"])


async def run(settings: Settings, *words: str) -> None:
    arguments = _parser().parse_args(words)
    await COMMANDS[arguments.command].run(settings, arguments)


def ledger_of(stores: Stores) -> LedgerService:
    settings = LedgerSettings()
    store = LedgerStore(stores.pool, settings)
    return LedgerService(settings, store, wake=lambda: None, observer=Silent())


async def now_of(pool: asyncpg.Pool) -> datetime:
    found: datetime = await pool.fetchval("SELECT clock_timestamp()")
    return found


async def balances(settings: StoreSettings) -> tuple[int, int]:
    """Ada's coins, and Bo's earnings."""
    async with open_stores(settings) as stores:
        ledger = ledger_of(stores)
        ada, bo = await ledger.wallet(ADA), await ledger.wallet(BO)
        assert await stores.redis.exists(STREAM_KEY) == 0
        return ada.balance_minor, bo.earnings_minor


async def history(settings: Settings, archive: Path, base: Path) -> list[datetime]:
    """Three gifts, the base backup after the first one; the moments before all of them, after the
    second one, and after the third one. What came after the backup could not be archived."""
    async with open_stores(settings.stores) as stores:
        ledger = ledger_of(stores)
        await grant(ledger)
        moments = [await now_of(stores.pool)]
        await gift(ledger)
        await run(settings, "backup", "--base", str(base), "--keys", f"{base}-keys")
        archive.chmod(0)  # from here on it is in the cluster alone
        for _ in range(2):
            await gift(ledger)
            moments.append(await now_of(stores.pool))
        await stores.redis.set(STREAM_KEY, "a future that is gone")
    archive.chmod(0o700)
    return moments


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_ledger_is_as_it_was_then(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = StoreSettings(data_dir=data_dir / "data", archive_dir=data_dir / "wal")
    settings, base = Settings(stores=stores), data_dir / "base"
    (data_dir / "data" / "keys").mkdir(parents=True)
    before_all, wanted, after_all = await history(settings, data_dir / "wal", base)
    assert (data_dir / "base-keys" / "keys").is_dir()
    for at, why in ((before_all, "not before"), (after_all, "ended before configured")):
        with pytest.raises(StartRefused, match=why):
            await run(settings, "restore", str(base), "--at", at.isoformat())
    assert [each.name for each in (data_dir / "data").glob("postgres*")] == [
        "postgres",
        "postgres.log",
    ]

    await run(settings, "restore", str(base), "--at", wanted.isoformat())
    assert "3 transactions up to batch 3" in capsys.readouterr().out
    async with open_ledger(stores) as access:  # which has no chainer
        chained = await access.pool.fetchval("SELECT max(sequence) FROM ledger.chain")
        assert chained == await access.pool.fetchval("SELECT max(sequence) FROM ledger.event_log")
    assert await balances(stores) == (1_000 - 2 * ROSE, 14)
    [aside] = (data_dir / "data").glob("postgres.before-*")
    assert (aside / "PG_VERSION").exists()

    async with open_stores(stores) as opened:  # what came after it can be restored to, too
        ledger = ledger_of(opened)
        for _ in range(5):
            await gift(ledger)
        wanted = await now_of(opened.pool)
        await gift(ledger)
    await run(settings, "restore", str(base), "--at", wanted.isoformat())
    assert await balances(stores) == (1_000 - 7 * ROSE, 49)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_each_moment_is_on_the_timeline_that_ran_then(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = StoreSettings(data_dir=data_dir / "data", archive_dir=data_dir / "wal")
    settings, base = Settings(stores=stores), data_dir / "base"
    async with open_stores(stores) as opened:
        ledger = ledger_of(opened)
        await grant(ledger)
        await run(settings, "backup", "--base", str(base))
        first = await two_gifts(ledger, opened.pool)

    # One that failed after its end: its timeline is in the archive, and was never used.
    with monkeypatch.context() as broken:
        broken.setattr("server.backup.point_in_time.ledger_faults", faulty)
        with pytest.raises(StartRefused, match="does not add up"):
            await run(settings, "restore", str(base), "--at", first[0].isoformat())
    assert (data_dir / "wal" / "00000002.history").exists()
    # One that was cut off before it was done with Redis: nobody goes on with that.
    with monkeypatch.context() as broken:
        broken.setattr("server.backup_commands.forget_the_future", away)
        with pytest.raises(StartRefused, match="Redis is away"):
            await run(settings, "restore", str(base), "--at", first[0].isoformat())
    with pytest.raises(ChildFailed, match="did not end"):
        async with open_stores(stores):
            pass

    await run(settings, "restore", str(base), "--at", first[0].isoformat())
    async with open_stores(stores) as opened:
        second = await two_gifts(ledger_of(opened), opened.pool)
    for at, gifts in ((first[1], 2), (second[0], 2), (first[0], 1), (second[1], 3)):
        await run(settings, "restore", str(base), "--at", at.isoformat())
        assert await balances(stores) == (1_000 - gifts * ROSE, gifts * 7)


async def two_gifts(ledger: LedgerService, pool: asyncpg.Pool) -> list[datetime]:
    """The moments after each; another gift follows, for it is at the next commit that recovery
    stops."""
    moments = []
    for _ in range(2):
        await gift(ledger)
        moments.append(await now_of(pool))
    await gift(ledger)
    return moments


async def away(redis: Redis) -> None:
    raise ConnectionError("Redis is away")


async def faulty(connection: asyncpg.Connection) -> list[str]:
    return ["the ledger does not add up"]


def test_a_timeline_that_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "backup_label").write_text("START TIMELINE: 1\n")
    assert _timeline(tmp_path, tmp_path, NOW) == "current"
    (tmp_path / "00000002.history").touch()
    with pytest.raises(RestoreRefused, match=f"Write it to {tmp_path / RUNS}"):
        _timeline(tmp_path, tmp_path, NOW)
    (tmp_path / RUNS).write_text(f"2 {NOW}\n".replace(" 12", "T12"))
    assert _timeline(tmp_path, tmp_path, NOW) == "2"


@pytest.mark.slow
async def test_without_an_archive_there_is_no_base_backup(data_dir: Path) -> None:
    settings = Settings(stores=StoreSettings(data_dir=data_dir / "data"))
    with pytest.raises(StartRefused, match="Nothing is archived"):
        await run(settings, "backup", "--base", str(data_dir / "base"))
