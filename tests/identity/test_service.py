import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from redis.asyncio import Redis

from config.identity import IdentitySettings
from identity.errors import (
    EmailTaken,
    IdentityBusy,
    IdentityError,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidRegistration,
    InvalidRoles,
    InvalidToken,
    Suspended,
    TooManyLogins,
)
from identity.keys import KeyRing
from identity.roles import Role
from identity.service import IdentityService
from identity.session_keeper import SignedIn

EMAIL, PASSWORD = "vera@example.org", "correct horse battery"
MakeService = Callable[[IdentitySettings], IdentityService]


async def register(
    service: IdentityService,
    email: str = EMAIL,
    password: str = PASSWORD,
    display_name: str = "Vera",
) -> SignedIn:
    return await service.register(email=email, password=password, display_name=display_name)


async def refused_login(service: IdentityService, password: str = "wrong horse battery") -> None:
    with pytest.raises(InvalidCredentials):
        await service.login(email=EMAIL, password=password)


# ---- registration ----


async def test_who_registers_is_signed_in_as_a_viewer(service: IdentityService) -> None:
    signed_in = await register(service, email=" Vera@Example.org ", display_name=" Vera ")
    assert signed_in.user.email == EMAIL
    assert signed_in.user.display_name == "Vera"
    assert signed_in.user.roles == {Role.VIEWER}
    assert signed_in.user.user_id.version == 7
    principal = await service.authenticate(signed_in.access_token)
    assert principal.user_id == signed_in.user.user_id
    assert principal.session_id.version == 7
    assert await service.user(principal.user_id) == signed_in.user


async def test_the_operator_may_let_everybody_go_live(
    make_service: MakeService, settings: IdentitySettings
) -> None:
    service = make_service(
        settings.model_copy(update={"registration_roles": ("viewer", "streamer")})
    )
    assert (await register(service)).user.roles == {Role.VIEWER, Role.STREAMER}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "vera"}, "email"),
        ({"display_name": "V"}, "display_name"),
        ({"password": "short"}, "password"),
        ({"password": EMAIL}, "password"),
    ],
)
async def test_a_refused_registration_leaves_nothing(
    service: IdentityService, pool: asyncpg.Pool, wrong: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidRegistration) as refusal:
        await register(service, **wrong)
    assert refusal.value.field == field
    assert await pool.fetchval("SELECT count(*) FROM identity.users") == 0


async def test_an_email_registers_once_in_any_spelling(service: IdentityService) -> None:
    await register(service)
    with pytest.raises(EmailTaken):
        await register(service, email=EMAIL.upper())


async def test_the_operator_makes_users_with_roles(service: IdentityService) -> None:
    made = await service.create_user(
        email="ada@example.org", password=PASSWORD, display_name="Ada", roles=[Role.ADMIN]
    )
    assert made.roles == {Role.ADMIN}
    assert await service.user_by_email("ADA@example.org") == made
    with pytest.raises(InvalidRoles):
        await service.create_user(
            email="bob@example.org", password=PASSWORD, display_name="Bob", roles=[]
        )


async def test_only_a_hash_of_the_password_is_kept(
    service: IdentityService, pool: asyncpg.Pool
) -> None:
    await register(service)
    row = str(await pool.fetchrow("SELECT * FROM identity.users"))
    assert "$argon2id$" in row
    assert PASSWORD not in row


# ---- login ----


async def test_a_login_is_a_session_of_its_own(service: IdentityService) -> None:
    first = await register(service)
    second = await service.login(email=EMAIL.upper(), password=PASSWORD)
    assert second.user == first.user
    principals = [await service.authenticate(each.access_token) for each in (first, second)]
    assert principals[0].session_id != principals[1].session_id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong horse battery"),
        (EMAIL, PASSWORD.upper()),
        (EMAIL, PASSWORD + " "),
        (EMAIL, ""),
        (EMAIL, "\ud800"),
        (EMAIL, "x" * 65_536),
        ("nobody@example.org", PASSWORD),
        ("no email", PASSWORD),
        ("ve\x00ra@example.org", PASSWORD),
        ("\ud800@example.org", PASSWORD),
        ("", ""),
    ],
)
async def test_every_wrong_login_has_the_same_answer(
    service: IdentityService, email: str, password: str
) -> None:
    await register(service)
    with pytest.raises(InvalidCredentials) as refusal:
        await service.login(email=email, password=password)
    assert refusal.value.message == InvalidCredentials().message


async def test_an_unknown_email_is_hashed_for_too(
    service: IdentityService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(service)
    hashed: list[str | None] = []
    verify = service._passwords.verify

    async def watched(password_hash: str | None, password: str) -> object:
        hashed.append(password_hash)
        return await verify(password_hash, password)

    monkeypatch.setattr(service._passwords, "verify", watched)
    await refused_login(service)
    with pytest.raises(InvalidCredentials):
        await service.login(email="nobody@example.org", password=PASSWORD)
    assert [each is None for each in hashed] == [False, True]


async def test_a_login_renews_a_hash_with_old_parameters(
    make_service: MakeService, settings: IdentitySettings, pool: asyncpg.Pool
) -> None:
    await register(make_service(settings))
    stronger = make_service(settings.model_copy(update={"argon2_iterations": 2}))
    await refused_login(stronger)
    assert "t=1" in await pool.fetchval("SELECT password_hash FROM identity.users")
    await stronger.login(email=EMAIL, password=PASSWORD)
    assert "t=2" in await pool.fetchval("SELECT password_hash FROM identity.users")
    await stronger.login(email=EMAIL, password=PASSWORD)


async def test_a_suspended_user_is_told_so_only_with_the_right_password(
    service: IdentityService,
) -> None:
    signed_in = await register(service)
    await service.suspend(signed_in.user.user_id)
    await refused_login(service)
    with pytest.raises(Suspended):
        await service.login(email=EMAIL, password=PASSWORD)


async def test_an_account_takes_ten_wrong_passwords_however_many_come_at_once(
    service: IdentityService,
) -> None:
    await register(service)
    outcomes = await asyncio.gather(
        *(service.login(email=EMAIL, password=f"guess number {n}") for n in range(30)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, InvalidCredentials) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, TooManyLogins) for outcome in outcomes) == 20
    with pytest.raises(TooManyLogins) as refusal:
        await service.login(email=EMAIL, password=PASSWORD)
    assert 0 < refusal.value.retry_after_s <= 900


async def test_right_passwords_are_not_counted(service: IdentityService, redis: Redis) -> None:
    await register(service)
    for _ in range(12):
        await service.login(email=EMAIL, password=PASSWORD, ip="192.0.2.1")
    assert await redis.keys("sociallive:identity:logins:*") == []


async def test_an_address_takes_so_many_wrong_passwords_for_all_accounts(
    make_service: MakeService, settings: IdentitySettings
) -> None:
    service = make_service(settings.model_copy(update={"login_failures_per_ip": 3}))
    for number in range(3):
        with pytest.raises(InvalidCredentials):
            await service.login(
                email=f"user{number}@example.org", password=PASSWORD, ip="192.0.2.1"
            )
    with pytest.raises(TooManyLogins):
        await service.login(email=EMAIL, password=PASSWORD, ip="192.0.2.1")
    with pytest.raises(InvalidCredentials):
        await service.login(email=EMAIL, password=PASSWORD, ip="192.0.2.2")


async def test_a_crowd_is_refused_and_counted_against_nobody(
    make_service: MakeService, settings: IdentitySettings, redis: Redis
) -> None:
    narrow = {"hash_concurrency": 1, "hash_queue": 1, "login_failures_per_account": 100}
    service = make_service(settings.model_copy(update=narrow))
    await register(service)
    outcomes = await asyncio.gather(
        *(service.login(email=EMAIL, password=PASSWORD) for _ in range(20)),
        return_exceptions=True,
    )
    assert any(isinstance(outcome, IdentityBusy) for outcome in outcomes)
    assert all(isinstance(outcome, SignedIn | IdentityBusy) for outcome in outcomes)
    assert await redis.keys("sociallive:identity:logins:*") == []


# ---- sessions ----


async def test_refresh_and_reuse(service: IdentityService) -> None:
    first = await register(service)
    second = await service.refresh(first.refresh_token)
    assert await service.authenticate(second.access_token)
    with pytest.raises(InvalidRefreshToken):
        await service.refresh(first.refresh_token)
    with pytest.raises(InvalidToken):
        await service.authenticate(second.access_token)


async def test_of_two_refreshes_at_once_one_is_answered_and_the_session_ends(
    service: IdentityService,
) -> None:
    signed_in = await register(service)
    outcomes = await asyncio.gather(
        *(service.refresh(signed_in.refresh_token) for _ in range(2)), return_exceptions=True
    )
    [renewed] = [outcome for outcome in outcomes if isinstance(outcome, SignedIn)]
    [refused] = [outcome for outcome in outcomes if not isinstance(outcome, SignedIn)]
    assert isinstance(refused, InvalidRefreshToken)
    with pytest.raises(InvalidToken):
        await service.authenticate(renewed.access_token)


async def test_tokens_are_not_each_other(service: IdentityService) -> None:
    signed_in = await register(service)
    with pytest.raises(InvalidRefreshToken):
        await service.refresh(signed_in.access_token)
    with pytest.raises(InvalidToken):
        await service.authenticate(signed_in.refresh_token)


async def test_a_logout_ends_this_session(service: IdentityService) -> None:
    first = await register(service)
    second = await service.login(email=EMAIL, password=PASSWORD)
    await service.logout(await service.authenticate(first.access_token))
    with pytest.raises(InvalidToken):
        await service.authenticate(first.access_token)
    with pytest.raises(InvalidRefreshToken):
        await service.refresh(first.refresh_token)
    assert await service.authenticate(second.access_token)


async def test_another_node_knows_the_session(
    make_service: MakeService, settings: IdentitySettings
) -> None:
    here, there = make_service(settings), make_service(settings)
    signed_in = await register(here)
    principal = await there.authenticate(signed_in.access_token)
    await there.suspend(principal.user_id)
    with pytest.raises(InvalidToken):
        await here.authenticate(signed_in.access_token)


def test_the_key_set_is_the_rings(service: IdentityService, keys: KeyRing) -> None:
    assert service.jwks() == keys.jwks()


# ---- secrets ----


async def test_nothing_secret_is_logged(
    service: IdentityService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    first = await register(service)
    second = await service.refresh(first.refresh_token)
    refused: list[IdentityError] = []
    for attempt in (
        service.refresh(first.refresh_token),
        service.login(email=EMAIL, password=PASSWORD + "?"),
        service.authenticate(first.access_token),
        register(service),
    ):
        with pytest.raises(IdentityError) as refusal:
            await attempt
        refused.append(refusal.value)
    told = str([vars(record) for record in caplog.records]) + str(refused)
    for secret in (
        EMAIL,
        PASSWORD,
        first.access_token,
        first.refresh_token,
        second.access_token,
        second.refresh_token,
    ):
        assert secret not in told
