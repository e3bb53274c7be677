"""Random histories against a dict: the database decides as ledger/transfer.py says it must."""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerRefusal
from ledger.gifts import GiftRequest
from ledger.grants import GrantRequest
from ledger.transfer import Known, Terms, TransferResult, quote_gift, settle, settle_gift

PEOPLE, REQUESTS, GIFTS = range(3), range(6), ("rose", "heart", "castle")
PERSON = st.sampled_from(PEOPLE)

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.sampled_from(REQUESTS), PERSON, PERSON, st.integers(1, 200)),
        st.tuples(
            st.just("gift"),
            st.sampled_from(REQUESTS),
            st.permutations(PEOPLE).map(tuple),
            st.sampled_from(GIFTS),
            st.integers(1, 5),
        ),
    ),
    max_size=25,
)


@dataclass
class Model:
    """The books as dicts."""

    terms: Terms
    wallets: defaultdict = field(default_factory=lambda: defaultdict(int))
    earnings: defaultdict = field(default_factory=lambda: defaultdict(int))
    answered: dict = field(default_factory=dict)
    issued: int = 0
    fees: int = 0

    def grant(self, request):
        key = (request.granted_by, request.request_id)
        result = settle(self.answered.get(key), request.request_hash())
        if result is TransferResult.POSTED:
            self.answered[key] = Known(request.request_hash())
            self.wallets[request.user_id] += request.amount_minor
            self.issued += request.amount_minor
        return result

    def gift(self, request):
        key = (request.payer_id, request.request_id)
        quote = quote_gift(request, self.terms)
        result = settle_gift(
            self.answered.get(key),
            request.request_hash(),
            closed=False,
            available_minor=self.wallets[request.payer_id],
            total_minor=quote.total_minor,
        )
        if result is TransferResult.POSTED:
            self.answered[key] = Known(request.request_hash())
            self.wallets[request.payer_id] -= quote.total_minor
            self.earnings[request.payee_id] += quote.split.earnings_minor
            self.fees += quote.split.fee_minor
        return result


async def outcome(call):
    """What the service answered, in the model's words."""
    try:
        receipt = await call
    except LedgerRefusal as refusal:
        return refusal.code
    return "repeated" if receipt.repeated else "posted"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(operations=OPERATIONS)
async def test_the_books_are_the_models(ledger, operations):
    model = Model(ledger._terms)
    people, streams = [uuid4() for _ in PEOPLE], [uuid4() for _ in PEOPLE]
    requests = [uuid4() for _ in REQUESTS]
    start = {line.code: line for line in (await ledger.trial_balance()).accounts}
    for kind, number, *rest in operations:
        if kind == "grant":
            user, admin, amount = rest
            request = GrantRequest(requests[number], people[user], amount, "why", people[admin])
            expected = model.grant(request)
            answer = await outcome(
                ledger.grant(**{name: getattr(request, name) for name in GrantRequest.__slots__})
            )
        else:
            (payer, payee, _), gift_id, count = rest
            request = GiftRequest(
                requests[number],
                people[payer],
                "Vera",
                people[payee],
                streams[payee],
                gift_id,
                count,
            )
            expected = model.gift(request)
            answer = await outcome(ledger.send_gift(request))
        assert answer == expected
    for person in people:
        wallet = await ledger.wallet(person)
        assert wallet.balance_minor == model.wallets[person] >= 0
        assert wallet.earnings_minor == model.earnings[person]
    end = await ledger.trial_balance()
    assert end.balanced
    for line in end.accounts:
        moved = (line.debit_minor - line.credit_minor) - (
            start[line.code].debit_minor - start[line.code].credit_minor
        )
        expected = {
            "issuance": model.issued,
            "wallet": -sum(model.wallets.values()),
            "earnings": -sum(model.earnings.values()),
            "fees": -model.fees,
        }
        assert moved == expected.get(line.code, 0)
