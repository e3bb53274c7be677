import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.identity import IdentitySettings
from identity.errors import ExpiredToken, InvalidToken
from identity.keys import KeyRing
from identity.roles import Role
from identity.tokens import AccessTokens
from identity.users import User, UserStatus

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SESSION_ID = UUID(int=7)
VERA = User(
    user_id=UUID(int=1),
    email="vera@example.org",
    display_name="Zoë 🌹",
    roles=frozenset({Role.VIEWER, Role.STREAMER}),
    status=UserStatus.ACTIVE,
    created_at=NOW,
)


@pytest.fixture(scope="module")
def tokens(keys: KeyRing) -> AccessTokens:
    return AccessTokens(IdentitySettings(), keys)


@pytest.fixture(scope="module")
def token(tokens: AccessTokens) -> str:
    return tokens.issue(VERA, session_id=SESSION_ID, generation=3, token_id=uuid4(), now=NOW)


def segment(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def part(token: str, number: int) -> Any:
    return json.loads(urlsafe_b64decode(token.split(".")[number] + "=="))


def signed(
    token: str,
    keys: KeyRing,
    claims: dict[str, Any] | None = None,
    without: str | None = None,
    headers: dict[str, Any] | None = None,
) -> str:
    """The token with other claims or headers, with a right signature by the newest of `keys`."""
    payload = {**part(token, 1), **(claims or {})}
    payload.pop(without, None)
    header = {"typ": "at+jwt", "kid": keys.signing.key_id, **(headers or {})}
    return jwt.encode(payload, keys.signing.private, algorithm="RS256", headers=header)


def test_a_token_says_who_calls(tokens: AccessTokens, token: str) -> None:
    principal, generation = tokens.verify(token, now=NOW)
    assert principal.user_id == VERA.user_id
    assert principal.display_name == VERA.display_name
    assert principal.roles == VERA.roles
    assert principal.session_id == SESSION_ID
    assert principal.expires_at == NOW + timedelta(minutes=15)
    assert generation == 3


def test_header_and_claims_are_those_of_rfc_9068(token: str, keys: KeyRing) -> None:
    assert part(token, 0) == {"alg": "RS256", "typ": "at+jwt", "kid": keys.signing.key_id}
    claims = part(token, 1)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)
    assert claims["roles"] == ["streamer", "viewer"]
    assert "email" not in claims


def test_a_stranger_verifies_it_with_the_published_keys(token: str, keys: KeyRing) -> None:
    published = jwt.PyJWKSet.from_dict(keys.jwks())[part(token, 0)["kid"]]
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, published, ["RS256"], options, audience="sociallive")
    assert claims["sub"] == str(VERA.user_id)


def test_what_was_signed_again_for_this_test_is_taken(
    tokens: AccessTokens, token: str, keys: KeyRing
) -> None:
    """Otherwise the refusals below would prove nothing."""
    assert tokens.verify(signed(token, keys), now=NOW) == tokens.verify(token, now=NOW)


@pytest.mark.parametrize(
    ("after_s", "taken"), [(-6, False), (-5, True), (0, True), (904, True), (905, False)]
)
def test_a_token_counts_from_its_issue_to_its_end_with_a_small_leeway(
    tokens: AccessTokens, token: str, after_s: int, taken: bool
) -> None:
    now = NOW + timedelta(seconds=after_s)
    if taken:
        assert tokens.verify(token, now=now)
    else:
        with pytest.raises(ExpiredToken if after_s > 0 else InvalidToken):
            tokens.verify(token, now=now)


def test_an_expired_token_of_a_stranger_is_not_called_expired(
    tokens: AccessTokens, token: str, foreign_keys: KeyRing
) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(signed(token, foreign_keys), now=NOW + timedelta(days=1))


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE"])
def test_a_token_without_signature_is_refused(
    tokens: AccessTokens, token: str, algorithm: str
) -> None:
    _, claims, signature = token.split(".")
    header = segment({**part(token, 0), "alg": algorithm})
    for end in ("", signature):
        with pytest.raises(InvalidToken):
            tokens.verify(f"{header}.{claims}.{end}", now=NOW)


def test_the_public_key_is_no_hmac_secret(tokens: AccessTokens, token: str, keys: KeyRing) -> None:
    pem = keys.signing.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head_and_claims = f"{segment({**part(token, 0), 'alg': 'HS256'})}.{token.split('.')[1]}"
    signature = urlsafe_b64encode(hmac.sign(head_and_claims.encode(), pem)).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        tokens.verify(f"{head_and_claims}.{signature}", now=NOW)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_no_other_algorithm_of_the_same_key_is_taken(
    tokens: AccessTokens, token: str, keys: KeyRing, algorithm: str
) -> None:
    headers = {"typ": "at+jwt", "kid": keys.signing.key_id}
    other = jwt.encode(part(token, 1), keys.signing.private, algorithm, headers)
    with pytest.raises(InvalidToken):
        tokens.verify(other, now=NOW)


def test_a_foreign_key_is_refused(
    tokens: AccessTokens, token: str, keys: KeyRing, foreign_keys: KeyRing
) -> None:
    for headers in ({}, {"kid": keys.signing.key_id}):
        with pytest.raises(InvalidToken):
            tokens.verify(signed(token, foreign_keys, headers=headers), now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"kid": None},
        {"typ": "JWT"},
        {"typ": None},
        {"jku": "https://example.org/jwks.json"},
        {"jwk": {"kty": "RSA"}},
        {"crit": ["b64"], "b64": True},
    ],
    ids=str,
)
def test_only_the_headers_that_we_write_are_taken(
    tokens: AccessTokens, token: str, keys: KeyRing, headers: dict[str, Any]
) -> None:
    _, claims, signature = token.split(".")
    forged = f"{segment({**part(token, 0), **headers})}.{claims}.{signature}"
    with pytest.raises(InvalidToken):
        tokens.verify(forged, now=NOW)
    if headers.get("kid", "") is not None:
        with pytest.raises(InvalidToken):
            tokens.verify(signed(token, keys, headers=headers), now=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"iss": ""},
        {"aud": "other"},
        {"aud": ["sociallive", "other"]},
        {"sub": "vera"},
        {"sub": 7},
        {"sid": "none"},
        {"sid": None},
        {"roles": ["owner"]},
        {"roles": "admin"},
        {"roles": None},
        {"exp": "never"},
        {"exp": 1e300},
        {"exp": None},
        {"iat": "today"},
        {"gen": "first"},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused_even_when_it_is_signed(
    tokens: AccessTokens, token: str, keys: KeyRing, claims: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(signed(token, keys, claims), now=NOW)


@pytest.mark.parametrize(
    "claim", ["iss", "aud", "sub", "sid", "iat", "exp", "jti", "roles", "name", "gen"]
)
def test_every_claim_is_required(
    tokens: AccessTokens, token: str, keys: KeyRing, claim: str
) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(signed(token, keys, without=claim), now=NOW)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c", "e30.e30.", "\ud800", "ä.ö.ü", "x" * 5000, f"{'[' * 900}.e30."],
    ids=lambda text: ascii(text[:8]),
)
def test_what_is_no_token_is_refused(tokens: AccessTokens, text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(text, now=NOW)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_octet_of_a_token_can_be_changed(
    tokens: AccessTokens, token: str, data: st.DataObject
) -> None:
    parts = [urlsafe_b64decode(each + "==") for each in token.split(".")]
    number = data.draw(st.integers(0, 2))
    index = data.draw(st.integers(0, len(parts[number]) - 1))
    changed = bytearray(parts[number])
    changed[index] ^= data.draw(st.integers(1, 255))
    parts[number] = bytes(changed)
    forged = ".".join(urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
    with pytest.raises(InvalidToken):
        tokens.verify(forged, now=NOW)


def test_a_token_of_an_earlier_key_counts_until_it_ends(
    keys: KeyRing, foreign_keys: KeyRing
) -> None:
    settings = IdentitySettings()
    earlier = AccessTokens(settings, keys)
    token = earlier.issue(VERA, session_id=SESSION_ID, generation=0, token_id=uuid4(), now=NOW)
    rotated = AccessTokens(settings, KeyRing((keys.signing, foreign_keys.signing)))
    assert rotated.verify(token, now=NOW) == earlier.verify(token, now=NOW)
    newer = rotated.issue(VERA, session_id=SESSION_ID, generation=0, token_id=uuid4(), now=NOW)
    assert part(newer, 0)["kid"] == foreign_keys.signing.key_id
