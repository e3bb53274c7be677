from typing import Any

import pytest

Form = dict[str, str]


@pytest.fixture
def anna(api: Any) -> Form:
    """What somebody new fills in."""
    email = f"{api.party}@example.org"
    return {"email": email, "password": "correct horse battery", "display_name": "Anna"}


async def test_register_login_refresh_logout(api: Any, anna: Form) -> None:
    registered = await api("POST", "/auth/register", anna)
    assert registered.status == 201
    assert set(registered.json) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
        "user",
    }
    assert (registered.json["token_type"], registered.json["expires_in"]) == ("Bearer", 900)
    assert registered.headers["Cache-Control"] == "no-store"

    login = await api("POST", "/auth/login", {k: anna[k] for k in ("email", "password")})
    assert login.status == 200
    me = await api("GET", "/auth/me", by=login.json["access_token"])
    assert me.status == 200
    assert me.json == login.json["user"]
    assert set(me.json) == {
        "user_id",
        "email",
        "display_name",
        "roles",
        "status",
        "created_at",
    }
    assert me.json["created_at"].endswith("Z")

    refreshed = await api("POST", "/auth/refresh", {"refresh_token": login.json["refresh_token"]})
    assert refreshed.status == 200
    token = refreshed.json["access_token"]
    assert (await api("POST", "/auth/logout", by=token)).status == 204
    assert (await api("GET", "/auth/me", by=token)).code == "invalid_token"


async def test_a_spent_refresh_token_ends_its_session(api: Any, anna: Form) -> None:
    tokens = (await api("POST", "/auth/register", anna)).json
    body = {"refresh_token": tokens["refresh_token"]}
    refreshed = await api("POST", "/auth/refresh", body)
    again = await api("POST", "/auth/refresh", body)
    assert (again.status, again.code) == (401, "invalid_refresh_token")
    me = await api("GET", "/auth/me", by=refreshed.json["access_token"])
    assert (me.status, me.code) == (401, "invalid_token")


async def test_wrong_credentials_and_taken_addresses(api: Any, anna: Form) -> None:
    await api("POST", "/auth/register", anna)
    wrong = await api("POST", "/auth/login", {"email": anna["email"], "password": "x" * 12})
    assert (wrong.status, wrong.code) == (401, "invalid_credentials")
    assert wrong.headers["WWW-Authenticate"].startswith("Bearer")
    taken = await api("POST", "/auth/register", anna)
    assert (taken.status, taken.code) == (409, "email_taken")


async def test_a_bad_registration_names_the_field(api: Any, anna: Form) -> None:
    for change, field in (
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"display_name": "A"}, "display_name"),
        ({"display_name": 5}, "display_name"),
        ({"roles": ["admin"]}, "roles"),
    ):
        reply = await api("POST", "/auth/register", anna | change)
        assert (reply.status, reply.code) == (422, "invalid_request"), change
        assert [error["field"] for error in reply.json["errors"]] == [field]


async def test_the_keys_are_public(api: Any) -> None:
    reply = await api("GET", "/.well-known/jwks.json")
    assert reply.status == 200
    assert "max-age" in reply.headers["Cache-Control"]
    (key,) = reply.json["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert not set(key) & {"d", "p", "q"}
