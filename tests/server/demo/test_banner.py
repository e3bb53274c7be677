"""What the terminal shows."""

from datetime import UTC, datetime
from uuid import uuid4

from identity.users import User, UserStatus
from server.demo.accounts import FOR_PEOPLE, Credentials
from server.demo.banner import banner
from server.urls import Urls


def test_links_and_every_account_are_shown() -> None:
    people = [
        Credentials(
            account,
            User(
                uuid4(),
                account.email,
                account.display_name,
                account.roles,
                UserStatus.ACTIVE,
                datetime(2026, 1, 1, tzinfo=UTC),
            ),
            f"word-of-{account.label}",
        )
        for account in FOR_PEOPLE
    ]
    text = banner(Urls("http://localhost:8080", "ws://localhost:8081/"), people)
    for part in ("http://localhost:8080/studio", "http://localhost:8080/admin", "Ctrl-C"):
        assert part in text
    for account in FOR_PEOPLE:
        assert f"{account.email:<21}" in text
        assert f"word-of-{account.label}" in text
