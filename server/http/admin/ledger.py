"""The ledger, seen by admins."""

from server.gateway.route import Answer, Call
from server.http.shapes import Shape
from server.http.wallet import statement_of


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


async def trial_balance(call: Call) -> Answer:
    """The trial balance."""
    return Answer(TrialBalanceShape.model_validate(await call.services.ledger.trial_balance()))
