"""`sociallive ledger verify` and `ledger checkpoints …`, run as commands."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from config.ledger import EvidenceSettings
from config.stores import StoreSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import read_export
from ledger.evidence.key_ring import KeyRing
from ledger.evidence.signer import Signer
from ledger.evidence.verify import Progress
from ledger.store.evidence import EvidenceStore
from server.cli import EXIT_UNSOUND, EXIT_USAGE, main
from server.database import create_pool
from server.evidence_commands import ProgressLine
from server.ledger_access import CHECKPOINT_KEYS
from server.stores import open_stores
from tests.support.history import fund

Run = Callable[..., str]


@pytest.fixture
def run(
    database_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command in a thread of its own; what it printed."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("SOCIALLIVE_STORES__DATA_DIR", str(data_dir))

    def command(*words: str) -> str:
        capsys.readouterr()
        main(["ledger", *words])
        return capsys.readouterr().out

    return command


async def write(database_url: str, keys: Path) -> None:
    """Some postings, chained and signed."""
    pool = await create_pool(database_url)
    for _ in range(3):
        await fund(pool, uuid4(), 10)
    store = EvidenceStore(pool)
    await Chainer(store, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()
    await Signer(store, EvidenceSettings(), keys, clock=lambda: datetime.now(UTC)).sign_now()
    await pool.close()


async def forge(admin_url: str, database_url: str) -> None:
    """Change a row behind the triggers' back."""
    name = database_url.rpartition("/")[2]
    root = await asyncpg.connect(f"{admin_url.rpartition('/')[0]}/{name}")
    await root.execute(
        "SET session_replication_role = replica; UPDATE ledger.posting_transactions"
        " SET description = 'x' WHERE batch = (SELECT max(batch) FROM ledger.transactions)"
    )
    await root.close()


@pytest.fixture
def written(run: Run, database_url: str, data_dir: Path) -> Run:
    asyncio.run(write(database_url, data_dir / CHECKPOINT_KEYS))
    return run


def test_a_sound_ledger(written: Run, capsys: pytest.CaptureFixture[str]) -> None:
    output = written("verify")
    assert output.endswith("sound\n")
    assert "3 batches, 3 transactions, 6 entries" in output


@pytest.mark.slow
def test_what_a_killed_server_had_not_chained_is_chained_first(
    run: Run, redis_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    async def post() -> None:
        settings = StoreSettings(data_dir=data_dir, redis_url=SecretStr(redis_url))
        async with open_stores(settings) as stores:
            await fund(stores.pool, uuid4(), 10)

    asyncio.run(post())
    output = run("verify", "--grace-s", "0")
    assert output.startswith("chained first, for no server runs that would: ")
    assert output.endswith("sound\n")
    assert "chained first" not in run("verify", "--grace-s", "0")


def test_beside_an_external_database_nothing_is_chained(
    run: Run, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def post() -> None:
        pool = await create_pool(database_url)
        await fund(pool, uuid4(), 10)
        await pool.close()

    asyncio.run(post())
    with pytest.raises(SystemExit) as caught:
        run("verify", "--grace-s", "0")
    assert caught.value.code == EXIT_UNSOUND
    assert "not in the chain" in capsys.readouterr().out


def test_a_batch_is_as_old_as_the_databases_clock_says(
    run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's clock is ahead of it by a minute."""

    async def post() -> None:
        pool = await create_pool(database_url)
        await fund(pool, uuid4(), 10)
        await pool.close()

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Ahead":
            return super().now(tz) + timedelta(minutes=1)

    monkeypatch.setattr("server.evidence_commands.datetime", Ahead)
    asyncio.run(post())
    output = run("verify")
    assert "1 batches were just posted and are not chained yet" in output
    assert output.endswith("sound\n")


def test_a_database_of_another_version_is_refused(
    run: Run, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def change(query: str) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute(query)
        await connection.close()

    for query in (
        "INSERT INTO schema_migrations VALUES ('ledger', 9999, 'to_come', '')",
        "DELETE FROM schema_migrations WHERE domain = 'ledger' AND version >"
        " (SELECT max(version) - 2 FROM schema_migrations WHERE domain = 'ledger'"
        "  AND version <> 9999)",
    ):
        asyncio.run(change(query))
        with pytest.raises(SystemExit) as caught:
            run("verify")
        assert caught.value.code == 1
        assert "sociallive migrate" in capsys.readouterr().err


def test_a_grace_that_is_no_time_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for grace in ("nan", "1e30", "soon"):
        with pytest.raises(SystemExit) as caught:
            run("verify", "--grace-s", grace)
        assert caught.value.code == EXIT_USAGE
        assert "--grace-s" in capsys.readouterr().err


def test_an_unsound_ledger_ends_with_its_own_code(
    written: Run,
    stores: tuple[object, object],
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asyncio.run(forge(stores[0].admin_url, database_url))  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as caught:
        written("verify", "--quiet")
    assert caught.value.code == EXIT_UNSOUND
    printed = capsys.readouterr()
    assert printed.out.startswith("ledger.transactions, transaction_id ")
    assert "not sound" in printed.err


def test_a_range(written: Run) -> None:
    assert "1 batches" in written("verify", "--from", "2", "--to", "2")


def test_checkpoints_go_out_and_come_back(written: Run, data_dir: Path, tmp_path: Path) -> None:
    checkpoints, keys = read_export(written("checkpoints", "export").encode())
    assert [each.fault(keys) for each in checkpoints] == [None]
    file = tmp_path / "checkpoints.json"
    written("checkpoints", "export", "--output", str(file))
    assert json.loads(file.read_text())["checkpoints"][0]["position"] == checkpoints[0].position
    assert written("verify", "--checkpoints", str(file)).endswith("sound\n")

    # On another machine, which has none of the keys, the public key has to be given.
    ring = KeyRing.read(data_dir / CHECKPOINT_KEYS)
    for path in (data_dir / CHECKPOINT_KEYS).iterdir():
        path.unlink()
    with pytest.raises(SystemExit) as caught:
        written("verify", "--checkpoints", str(file))
    assert caught.value.code == EXIT_UNSOUND
    pem = tmp_path / "key.pub.pem"
    assert ring.signing is not None
    pem.write_bytes(
        ring.signing.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    assert written("verify", "--checkpoints", str(file), "--public-key", str(pem)).endswith(
        "sound\n"
    )


def test_a_file_that_is_no_export_is_refused(
    written: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("a.json", "{}"), ("b.json", "no JSON")):
        (tmp_path / name).write_text(content)
        with pytest.raises(SystemExit) as caught:
            written("verify", "--checkpoints", str(tmp_path / name))
        assert caught.value.code == 1
        assert "no export" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        written("verify", "--checkpoints", str(tmp_path / "missing.json"))
    assert caught.value.code == 1


def test_a_key_is_added(written: Run, data_dir: Path) -> None:
    before = KeyRing.read(data_dir / CHECKPOINT_KEYS)
    key_id = written("checkpoints", "rotate-key").split()[0]
    after = KeyRing.read(data_dir / CHECKPOINT_KEYS)
    assert list(after.trusted) == [*before.trusted, key_id]


def test_progress_is_told_about_once_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = iter([0.0, 0.5, 1.5, 1.6, 1.7])
    monkeypatch.setattr("server.evidence_commands.time.monotonic", lambda: next(moments))
    tell = ProgressLine()
    for done in (10, 20, 30, 40):
        tell(Progress("replay", done, 40))
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "replay: 20 of 40 rows, 50%, 13 rows/s",
        "replay: 40 of 40 rows, 100%, 24 rows/s",
    ]
