"""What the terminal shows when the demo is ready."""

from collections.abc import Sequence

from server.demo.accounts import Credentials
from server.urls import Urls

PLACES = (("watch", "/"), ("go live", "/studio"), ("administer", "/admin"))


def banner(urls: Urls, people: Sequence[Credentials]) -> str:
    """Links and accounts, in a frame of blank lines."""
    links = "\n".join(f"  {label:<11} {urls.http}{path}" for label, path in PLACES)
    wide = max(len(person.account.email) for person in people)
    accounts = "\n".join(
        f"  {person.account.label:<11} {person.account.email:<{wide}}  {person.password}"
        for person in people
    )
    return (
        f"\nSocial Live is ready.\n\n{links}\n\n"
        f"Sign in with one of these accounts (email, password):\n\n{accounts}\n\n"
        "Ctrl-C ends everything; the next start finds the same data.\n"
    )
