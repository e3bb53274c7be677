"""The rules that a new account must meet, and the one spelling in which each field is kept.

Each function returns the normalised value or raises InvalidRegistration with the field's name.
"""

import re
import unicodedata

from identity.errors import InvalidRegistration

MAX_EMAIL_OCTETS = 254
MAX_LOCAL_OCTETS = 64
MIN_NAME_CHARS, MAX_NAME_CHARS = 2, 32
MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 10, 128
MIN_DISTINCT_PASSWORD_CHARS = 5

# RFC 5322 §3.2.3 atext, with what RFC 6531 adds; printability is checked apart.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\-\u0080-\U0010ffff]+"
_LABEL = r"(?!-)[a-z0-9\-\u0080-\U0010ffff]{1,63}(?<!-)"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")

# The most used of at least ten characters in published leaks; no hash saves these.
_COMMON_PASSWORDS = """
    1234567890 0987654321 0123456789 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc q1w2e3r4t5
    qwertyuiop qwerty1234 qwerty12345 qwerty123456 asdfghjkl1 zaq12wsx34 password12 password123
    password1234 passw0rd123 iloveyou12 letmein123 welcome123 football123 princess123
    administrator changeme123 sociallive
"""


def fold(text: str) -> str:
    """`text` in the form in which spellings that people take for the same are equal.

    Canonical caseless matching (Unicode §3.13, D145), composed again.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def normalise_email(email: str) -> str:
    """The folded address, at most 254 octets of UTF-8 (RFC 5321 §4.5.3.1)."""
    folded = fold(email.strip()) if len(email) <= 2 * MAX_EMAIL_OCTETS else ""
    if not (_EMAIL.fullmatch(folded) and folded.isprintable()):
        raise InvalidRegistration("email", "This is no e-mail address. Write it as name@host.")
    local = folded.partition("@")[0]
    if len(folded.encode()) > MAX_EMAIL_OCTETS or len(local.encode()) > MAX_LOCAL_OCTETS:
        raise InvalidRegistration("email", "This e-mail address is too long. Use a shorter one.")
    return folded


def normalise_display_name(name: str) -> str:
    """The composed name without outer spaces.

    `str.isprintable` refuses controls, bidi and zero-width characters, and lone surrogates, with
    which one name can be made to look like another or to spill over its line.
    """
    composed = unicodedata.normalize("NFC", name.strip())
    if not MIN_NAME_CHARS <= len(composed) <= MAX_NAME_CHARS:
        raise InvalidRegistration(
            "display_name", f"Choose a name of {MIN_NAME_CHARS} to {MAX_NAME_CHARS} characters."
        )
    if not composed.isprintable():
        raise InvalidRegistration(
            "display_name", "The name has invisible characters. Use letters, digits and signs."
        )
    return composed


def normalise_password(password: str, *, email: str, display_name: str) -> str:
    """The composed password (RFC 8265 §4.2) of an account with this e-mail and name.

    Length and obvious guesses are refused; there are no rules about kinds of characters
    (NIST SP 800-63B §3.1.1.2).
    """
    composed = compose_password(password)
    if composed is None or not MIN_PASSWORD_CHARS <= len(composed) <= MAX_PASSWORD_CHARS:
        raise InvalidRegistration(
            "password",
            f"Choose a password of {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters.",
        )
    folded = fold(composed)
    own = {email, email.partition("@")[0], fold(display_name)}
    if (
        folded in own.union(_COMMON_PASSWORDS.split())
        or len(set(folded)) < MIN_DISTINCT_PASSWORD_CHARS
    ):
        raise InvalidRegistration(
            "password", "This password is easy to guess. Choose another, a few words for example."
        )
    return composed


def compose_password(password: str) -> str | None:
    """The form in which a password is hashed; None for one that no account can have."""
    if len(password) > 4 * MAX_PASSWORD_CHARS:
        return None
    composed = unicodedata.normalize("NFC", password)
    has_surrogates = any("\ud800" <= character <= "\udfff" for character in composed)
    return None if has_surrogates or len(composed) > MAX_PASSWORD_CHARS else composed
