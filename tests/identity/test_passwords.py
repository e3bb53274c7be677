import asyncio
import re
from collections.abc import Iterator

import pytest

from config.identity import IdentitySettings
from identity.errors import IdentityBusy
from identity.passwords import Passwords, Verdict

RIGHT, WRONG = "correct horse battery", "incorrect horse battery"


@pytest.fixture
def passwords(settings: IdentitySettings) -> Iterator[Passwords]:
    passwords = Passwords(settings)
    yield passwords
    passwords.close()


def test_the_default_parameters_are_those_that_rfc_9106_recommends() -> None:
    settings = IdentitySettings()
    assert settings.argon2_memory_kib == 64 * 1024
    assert (settings.argon2_iterations, settings.argon2_lanes) == (3, 4)


async def test_a_hash_is_argon2id_and_salted(passwords: Passwords) -> None:
    first, second = await passwords.hash(RIGHT), await passwords.hash(RIGHT)
    assert first != second
    assert re.match(r"\$argon2id\$v=19\$m=7168,t=1,p=1\$", first)
    assert RIGHT not in first


async def test_only_the_password_itself_is_correct(passwords: Passwords) -> None:
    password_hash = await passwords.hash(RIGHT)
    assert await passwords.verify(password_hash, RIGHT) == Verdict(correct=True)
    assert await passwords.verify(password_hash, WRONG) == Verdict(correct=False)


async def test_other_parameters_make_a_hash_outdated(
    passwords: Passwords, settings: IdentitySettings
) -> None:
    password_hash = await passwords.hash(RIGHT)
    stronger = Passwords(settings.model_copy(update={"argon2_iterations": 2}))
    assert await stronger.verify(password_hash, RIGHT) == Verdict(correct=True, outdated=True)
    assert await stronger.verify(password_hash, WRONG) == Verdict(correct=False)
    stronger.close()


async def test_nobodys_hash_is_really_computed_and_fits_no_password(
    passwords: Passwords, settings: IdentitySettings
) -> None:
    assert await passwords.verify(None, RIGHT) == Verdict(correct=False)
    real = await passwords.hash(RIGHT)
    dummy = passwords._nobodys_hash
    # The same parameters and lengths, hence the same work.
    assert dummy.rpartition("$")[0].rpartition("$")[0] == real.rpartition("$")[0].rpartition("$")[0]
    assert [len(part) for part in dummy.split("$")] == [len(part) for part in real.split("$")]


async def test_a_damaged_hash_is_a_wrong_password(passwords: Passwords) -> None:
    assert await passwords.verify("not a hash", RIGHT) == Verdict(correct=False)


async def test_what_waits_is_bounded(settings: IdentitySettings) -> None:
    bounded = Passwords(settings.model_copy(update={"hash_concurrency": 1, "hash_queue": 2}))
    outcomes = await asyncio.gather(
        *(bounded.hash(RIGHT) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(outcome, IdentityBusy) for outcome in outcomes] == [False] * 3 + [True] * 2
    assert await bounded.hash(RIGHT)
    bounded.close()


async def test_a_cancelled_caller_leaves_its_place(settings: IdentitySettings) -> None:
    bounded = Passwords(settings.model_copy(update={"hash_concurrency": 1, "hash_queue": 1}))
    waiting = [asyncio.ensure_future(bounded.hash(RIGHT)) for _ in range(2)]
    await asyncio.wait(waiting, timeout=0)
    for future in waiting:
        future.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await bounded.hash(RIGHT)
    bounded.close()
