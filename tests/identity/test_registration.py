import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.errors import InvalidRegistration
from identity.registration import (
    compose_password,
    fold,
    normalise_display_name,
    normalise_email,
    normalise_password,
)

RIGHT_TO_LEFT_OVERRIDE = "\u202e"
ZERO_WIDTH_SPACE = "\u200b"
LONE_SURROGATE = "\ud800"


@pytest.mark.parametrize(
    ("email", "normalised"),
    [
        ("vera@example.org", "vera@example.org"),
        ("  Vera@Example.ORG ", "vera@example.org"),
        ("vera.o'neil+live@mail.example.org", "vera.o'neil+live@mail.example.org"),
        ("admin@localhost", "admin@localhost"),
        ("ZOE\u0308@example.org", "zoë@example.org"),
        ("vera@BÜCHER.example", "vera@bücher.example"),
        (f"{'a' * 64}@example.org", f"{'a' * 64}@example.org"),
    ],
)
def test_emails_are_kept_in_one_spelling(email: str, normalised: str) -> None:
    assert normalise_email(email) == normalised


@pytest.mark.parametrize(
    "email",
    [
        "",
        "vera",
        "@example.org",
        "vera@",
        "vera@@example.org",
        "vera@example..org",
        ".vera@example.org",
        "ve ra@example.org",
        "vera@-example.org",
        "vera@example-.org",
        "vera@exam_ple.org",
        "vera@example.org\nbcc: other@example.org",
        "ve\x00ra@example.org",
        f"ve{RIGHT_TO_LEFT_OVERRIDE}ra@example.org",
        f"ve{LONE_SURROGATE}ra@example.org",
        f"vera@{'a' * 64}.org",
        f"{'a' * 65}@example.org",
        f"{'ä' * 33}@example.org",
        "a@" + ".".join(["b" * 63] * 4),
        "a" * 65_536 + "@example.org",
    ],
)
def test_what_is_no_email_is_refused(email: str) -> None:
    with pytest.raises(InvalidRegistration) as refusal:
        normalise_email(email)
    assert refusal.value.field == "email"


@given(st.text(max_size=40), st.sampled_from(["", "@example.org", "@bücher.example"]))
def test_normalising_an_email_twice_changes_nothing(local: str, rest: str) -> None:
    try:
        once = normalise_email(local + rest)
    except InvalidRegistration:
        return
    assert normalise_email(once) == once
    assert once.isprintable()


@given(st.text())
def test_folding_makes_all_cases_and_compositions_the_same(text: str) -> None:
    assert fold(text) == fold(fold(text))
    assert fold(text) == fold(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("name", "normalised"),
    [
        ("Vera", "Vera"),
        ("  Vera  ", "Vera"),
        ("Zoe\u0308", "Zoë"),
        ("Vera the 1st", "Vera the 1st"),
        ("李雷", "李雷"),
        ("🌹🌹", "🌹🌹"),
        ("x" * 32, "x" * 32),
    ],
)
def test_names_keep_their_case(name: str, normalised: str) -> None:
    assert normalise_display_name(name) == normalised


@pytest.mark.parametrize(
    "name",
    [
        "",
        "V",
        " V ",
        "x" * 33,
        "Ve\tra",
        "Ve\nra",
        "Ve\x00ra",
        "Ve\u00a0ra",
        f"Ve{RIGHT_TO_LEFT_OVERRIDE}ra",
        f"Ve{ZERO_WIDTH_SPACE}ra",
        f"Ve{LONE_SURROGATE}ra",
    ],
)
def test_names_that_could_deceive_are_refused(name: str) -> None:
    with pytest.raises(InvalidRegistration) as refusal:
        normalise_display_name(name)
    assert refusal.value.field == "display_name"


def password_of_vera(password: str) -> str:
    return normalise_password(password, email="vera.long@example.org", display_name="Vera the 1st")


@pytest.mark.parametrize(
    "password",
    ["correct horse", "x1y2z3x1y2", "пароль из слов", " spaces count ", "ab\x00cdefgh12"],
)
def test_passwords_need_no_kinds_of_characters(password: str) -> None:
    assert password_of_vera(password) == password


@pytest.mark.parametrize(
    "password",
    [
        "",
        "nine char",
        "x" * 129,
        "abcde" * 26,
        f"correct{LONE_SURROGATE}horse",
        "aaaaaaaaaaaa",
        "abcdabcdabcd",
        "password123",
        "PassWord123",
        "1234567890",
        "vera.long@example.org",
        "VERA.LONG@example.org",
        "vera the 1st",
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    with pytest.raises(InvalidRegistration) as refusal:
        password_of_vera(password)
    assert refusal.value.field == "password"
    assert not password or password not in refusal.value.message


def test_the_local_part_is_no_password() -> None:
    with pytest.raises(InvalidRegistration):
        normalise_password("vera.longname", email="vera.longname@example.org", display_name="Vera")


def test_a_password_is_the_same_however_the_keyboard_composes_it() -> None:
    assert compose_password("Zoe\u0308 geht live") == compose_password("Zoë geht live")


@pytest.mark.parametrize("password", ["x" * 129, "x" * 65_536, LONE_SURROGATE])
def test_a_password_that_no_account_can_have_is_not_hashed(password: str) -> None:
    assert compose_password(password) is None
