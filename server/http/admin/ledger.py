"""The ledger, seen by admins."""

from typing import Literal

from aiohttp import web

from ledger.accounts import AccountCode
from server.gateway.body import Query
from server.gateway.route import Answer, Call
from server.http.shapes import GivenInstant, Shape
from server.http.wallet import BalanceShape, balance_of, csv_of, html_of, statement_of


class AccountTotals(Shape):
    """The sums of all accounts of one kind; `accounts` is how many those are."""

    code: str
    name: str
    kind: str
    debit_minor: int
    credit_minor: int
    accounts: int


class TrialBalanceShape(Shape):
    """Debits and credits over the whole ledger; they are equal, or something is wrong."""

    currency: str
    accounts: list[AccountTotals]
    total_debit_minor: int
    total_credit_minor: int
    balanced: bool


async def statement(call: Call) -> Answer:
    """A user's statement."""
    user = await call.services.identity.user(call.uuid("user_id"))
    return await statement_of(user.user_id, call)


async def statement_csv(call: Call) -> web.Response:
    """A user's statement as CSV."""
    user = await call.services.identity.user(call.uuid("user_id"))
    return await csv_of(user.user_id, call)


async def statement_html(call: Call) -> web.Response:
    """A user's statement as a page that prints."""
    user = await call.services.identity.user(call.uuid("user_id"))
    return await html_of(user.user_id, user.display_name, call)


async def balance(call: Call) -> Answer:
    """A user's balance at an instant."""
    user = await call.services.identity.user(call.uuid("user_id"))
    return await balance_of(user.user_id, call)


class HouseMoment(Query):
    """Which account of the house, and when."""

    account: Literal["issuance", "fees", "payment_clearing", "payouts", "refunds"]
    at: GivenInstant


async def house_balance(call: Call) -> Answer:
    """The balance of an account of the house at an instant."""
    query, ledger = call.read(HouseMoment), call.services.ledger
    found = await ledger.balance_at(None, account=AccountCode(query.account), at=query.at)
    return Answer(BalanceShape(balance_minor=found, currency=ledger.currency, at=query.at))


async def trial_balance(call: Call) -> Answer:
    """The trial balance."""
    return Answer(TrialBalanceShape.model_validate(await call.services.ledger.trial_balance()))
