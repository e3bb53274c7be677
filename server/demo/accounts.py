"""The demo's accounts; their passwords are made at the first start and kept in the data folder."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from identity.errors import EmailTaken
from identity.roles import Role
from identity.service import IdentityService
from identity.users import User
from ledger.service import LedgerService
from server.embedded.folder import DataFolder

DOMAIN = "demo.example"
COINS = 50_000
PASSWORD_BYTES = 9


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account to sign in with."""

    label: str
    display_name: str
    roles: frozenset[Role]
    has_coins: bool = False

    @property
    def email(self) -> str:
        return f"{self.label}@{DOMAIN}"


VIEWER = DemoAccount("viewer", "Vera", frozenset({Role.VIEWER}), has_coins=True)
STREAMER = DemoAccount("streamer", "Stella", frozenset({Role.VIEWER, Role.STREAMER}))
ADMIN = DemoAccount("admin", "Ada", frozenset({Role.VIEWER, Role.ADMIN}))
CHANNEL = DemoAccount("channel", "Social Live", frozenset({Role.VIEWER, Role.STREAMER}))
BOTS = (
    DemoAccount("bot-mia", "Mia", frozenset({Role.VIEWER}), has_coins=True),
    DemoAccount("bot-noah", "Noah", frozenset({Role.VIEWER}), has_coins=True),
    DemoAccount("bot-zoe", "Zoë", frozenset({Role.VIEWER}), has_coins=True),
)
FOR_PEOPLE = (VIEWER, STREAMER, ADMIN)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account that exists, and its password."""

    account: DemoAccount
    user: User
    password: str


async def ensure_account(
    account: DemoAccount, identity: IdentityService, ledger: LedgerService, folder: DataFolder
) -> Credentials:
    """The account, made at the first call; later calls find it."""
    password = folder.secret(f"demo-{account.label}", bytes_of_entropy=PASSWORD_BYTES)
    try:
        user = await identity.create_user(
            email=account.email,
            password=password,
            display_name=account.display_name,
            roles=account.roles,
        )
    except EmailTaken:
        page = await identity.users(query=account.email, cursor=None, limit=1)
        user = page.items[0]
    if account.has_coins:
        await ledger.grant(
            request_id=_first_grant(user.user_id),
            user_id=user.user_id,
            amount_minor=COINS,
            reason="Coins to try the demo with",
            granted_by=user.user_id,
        )
    return Credentials(account, user, password)


def _first_grant(user_id: UUID) -> UUID:
    """The same at every start, so that the ledger posts the grant once."""
    return uuid5(user_id, "first coins")
