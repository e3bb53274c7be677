"""A state machine against real books: whatever is done, in whatever order, they are the model's.

Holds after every step: each balance and each held amount is the model's, all sum to zero, nothing
guarded is below zero. Refused requests change nothing, repeated ones get their first answer. In the
end a replay of the entries gives every balance, now and as each entry states it.
"""

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from config.ledger import LedgerSettings
from ledger.accounts import CHART, AccountCode
from ledger.errors import LedgerRefusal
from ledger.gifts import GiftRequest
from ledger.money import split_fee
from ledger.postings import Leg, Posting
from ledger.reversals import ReversalKind, Shortfall
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.database import create_pool

PERSON = st.sampled_from(range(4))
AMOUNT = st.integers(1, 120)
PRICES = {"rose": 10, "heart": 50}
C = AccountCode


class Silent:
    """Nobody reads the times here."""

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        pass


class Books(RuleBasedStateMachine):
    """Commands for the ledger, and the dicts that it must agree with."""

    url = ""
    gifts = Bundle("gifts")
    holds = Bundle("holds")

    @initialize()
    def open(self):
        self.runner = asyncio.Runner()
        self.people = [uuid4() for _ in range(4)]  # strangers to the books, in every run
        self.balances = defaultdict(int)
        self.held = defaultdict(int)
        self.reversed = defaultdict(int)
        self.answers = []
        self.runner.run(self._open())

    async def _open(self):
        self.pool = await create_pool(self.url, size=4)
        self.ledger = LedgerService(
            LedgerSettings(), LedgerStore(self.pool, LedgerSettings()), wake=lambda: None,
            observer=Silent(),
        )  # fmt: skip
        self.start = await self._rows()

    async def _rows(self):
        rows = await self.pool.fetch(
            "SELECT owner_id, code, sum(balance_minor)::bigint AS balance,"
            " sum(held_minor)::bigint AS held FROM ledger.accounts GROUP BY 1, 2"
        )
        return {(row["owner_id"], row["code"]): (row["balance"], row["held"]) for row in rows}

    # ---- what is asked of both ----

    def ask(self, call, refused):
        """The answer, or None where it is refused; both must agree on that."""
        try:
            answer = self.runner.run(call())
        except LedgerRefusal as refusal:
            answer = refusal
        code = getattr(answer, "code", None) if isinstance(answer, LedgerRefusal) else None
        assert code == refused, f"{code} in the books, {refused} in the model"
        if code is not None:
            return None
        self.answers.append((call, answer))
        return answer

    def available(self, owner, code=C.WALLET):
        key = (owner, code)
        start = self.start.get(key, (0, 0))
        return start[0] - start[1] + self.balances[key] - self.held[key]

    def move(self, *legs):
        for owner, code, minor in legs:
            self.balances[owner, code] += minor

    @rule(user=PERSON, amount=AMOUNT)
    def grant(self, user, amount):
        user = self.people[user]
        request = {"request_id": uuid4(), "user_id": user, "amount_minor": amount}
        self.ask(lambda: self.ledger.grant(**request, reason="x", granted_by=self.people[0]), None)
        self.move((user, C.WALLET, amount), (None, C.ISSUANCE, -amount))

    def judge_gift(self, request):
        total = PRICES[request.gift_id] * request.count
        if request.payer_id == request.payee_id:
            return "own_stream"
        if self.available(request.payer_id) < total:
            return "insufficient_funds"
        split = split_fee(total, 3000)
        self.move(
            (request.payer_id, C.WALLET, -total),
            (request.payee_id, C.EARNINGS, split.earnings_minor),
            (None, C.FEES, split.fee_minor),
        )
        return None

    def a_gift(self, payer, payee, gift_id, count):
        payer, payee = self.people[payer], self.people[payee]
        return GiftRequest(uuid4(), payer, "Vera", payee, uuid4(), gift_id, count)

    @rule(
        target=gifts,
        sent=st.lists(
            st.tuples(PERSON, PERSON, st.sampled_from(sorted(PRICES)), st.integers(1, 3)),
            min_size=1,
            max_size=6,
        ),
        twice=st.booleans(),
    )
    def give_at_once(self, sent, twice):
        """Several gifts in one batch, some of them sent twice."""
        requests = [self.a_gift(*each) for each in sent]
        expected = [self.judge_gift(request) for request in requests]
        repeats = [r for r, refused in zip(requests, expected, strict=True) if refused is None]
        repeats = repeats if twice else []

        async def send():
            calls = (self.ledger.send_gift(request) for request in requests + repeats)
            return await asyncio.gather(*calls, return_exceptions=True)

        answers = self.runner.run(send())
        posted = []
        for request, refused, answer in zip(requests, expected, answers, strict=False):
            assert getattr(answer, "code", None) == refused
            if refused is None:
                assert answer.repeated is False
                posted.append((request, answer))
                self.answers.append(
                    (lambda request=request: self.ledger.send_gift(request), answer)
                )
        for repeat, answer in zip(repeats, answers[len(requests) :], strict=True):
            [first] = [answer for request, answer in posted if request is repeat]
            assert answer == replace(first, repeated=True)
        return multiple(*posted)

    @rule(payer=PERSON, payee=PERSON, amount=AMOUNT, back=st.integers(0, 130))
    def transfer(self, payer, payee, amount, back):
        """Two linked postings, there and back again."""
        if payer == payee:
            return
        payer, payee = self.people[payer], self.people[payee]
        legs = [(payer, payee, amount)] + ([(payee, payer, back)] if back else [])
        postings = [
            Posting("correction", "x", (Leg(a, C.WALLET, -m, "COIN"), Leg(b, C.WALLET, m, "COIN")))
            for a, b, m in legs
        ]
        short = self.available(payer) < amount or self.available(payee) + amount < back
        key = {"caller_id": payer, "request_id": uuid4()}
        self.ask(
            lambda: self.ledger.post(**key, postings=postings),
            "insufficient_funds" if short else None,
        )
        if not short:
            for a, b, minor in legs:
                self.move((a, C.WALLET, -minor), (b, C.WALLET, minor))

    @rule(
        target=holds,
        owner=PERSON,
        amount=AMOUNT,
        code=st.sampled_from([C.WALLET, C.EARNINGS_AVAILABLE]),
    )
    def hold(self, owner, amount, code):
        owner = self.people[owner]
        fields = {
            "caller_id": owner,
            "request_id": uuid4(),
            "owner_id": owner,
            "code": code,
            "amount_minor": amount,
            "expires_at": datetime.now(UTC) + timedelta(hours=1),
            "reason": "x",
        }
        short = self.available(owner, code) < amount
        hold = self.ask(
            lambda: self.ledger.holds.place(**fields), "insufficient_funds" if short else None
        )
        if hold is None:
            return multiple()
        self.held[owner, code] += amount
        return [hold.hold_id, owner, code, amount]  # a list: what is left of it changes

    @rule(hold=holds, amount=AMOUNT | st.none())
    def capture(self, hold, amount):
        hold_id, owner, code, left = hold
        wanted = left if amount is None else amount
        refused = "hold_closed" if not left else "insufficient_funds" if wanted > left else None
        fields = {
            "caller_id": owner,
            "request_id": uuid4(),
            "hold_id": hold_id,
            "amount_minor": amount,
            "to_owner_id": None,
            "to_code": C.PAYOUTS,
            "kind": "payout",
            "description": "x",
        }
        if self.ask(lambda: self.ledger.holds.capture(**fields), refused) is not None:
            hold[3] -= wanted
            self.held[owner, code] -= wanted
            self.move((owner, code, -wanted), (None, C.PAYOUTS, wanted))

    @rule(hold=consumes(holds))
    def void(self, hold):
        hold_id, owner, code, left = hold
        fields = {"caller_id": owner, "request_id": uuid4(), "hold_id": hold_id}
        refused = None if left else "hold_closed"
        if self.ask(lambda: self.ledger.holds.void(**fields), refused) is not None:
            self.held[owner, code] -= left

    @rule(gift=gifts, amount=AMOUNT | st.none(), shortfall=st.sampled_from(Shortfall))
    def refund(self, gift, amount, shortfall):
        request, receipt = gift
        total, before = receipt.total_minor, self.reversed[receipt.transaction_id]
        wanted = total - before if amount is None else amount
        fee = total * 3000 // 10_000
        fee_back = fee * (before + wanted) // total - fee * before // total
        legs, short = self.taken(request.payee_id, wanted - fee_back, shortfall)
        refused = None
        if not 0 < wanted <= total - before:
            refused = "already_reversed"
        elif short and shortfall is Shortfall.REFUSE:
            refused = "insufficient_funds"
        fields = {
            "caller_id": self.people[0],
            "request_id": uuid4(),
            "transaction_id": receipt.transaction_id,
            "amount_minor": amount,
            "kind": ReversalKind.REFUND,
            "reason": "x",
            "shortfall": shortfall,
        }
        if self.ask(lambda: self.ledger.reversals.reverse(**fields), refused) is not None:
            self.reversed[receipt.transaction_id] += wanted
            payer = (request.payer_id, C.WALLET, wanted)
            self.move(payer, (None, C.FEES, -fee_back), *legs)

    def taken(self, owner, wanted, shortfall):
        """From where a streamer's share of a refund comes, and what is short."""
        legs = []
        for code in (C.EARNINGS, C.EARNINGS_AVAILABLE):
            part = min(wanted, self.available(owner, code))
            legs.append((owner, code, -part))
            wanted -= part
        place = {
            Shortfall.RESERVE: (owner, C.CHARGEBACK_RESERVE),
            Shortfall.HOUSE: (None, C.REFUNDS),
        }.get(shortfall, (None, C.REFUNDS))
        return [*legs, (*place, -wanted)], wanted

    @rule()
    def mature(self):
        self.runner.run(self.ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1)))
        for owner in self.people:
            minor = self.available(owner, C.EARNINGS)
            owed = min(minor, -self.available(owner, C.CHARGEBACK_RESERVE))
            self.move(
                (owner, C.EARNINGS, -minor),
                (owner, C.CHARGEBACK_RESERVE, owed),
                (owner, C.EARNINGS_AVAILABLE, minor - owed),
            )

    @rule(data=st.data())
    def repeat(self, data):
        """An old request again: the first answer, and nothing happens."""
        if self.answers:
            call, first = data.draw(st.sampled_from(self.answers))
            again = self.runner.run(call())
            if hasattr(first, "posting"):
                assert again == replace(first, posting=replace(first.posting, repeated=True))
            else:
                assert again == (
                    replace(first, repeated=True) if hasattr(first, "repeated") else first
                )

    @invariant()
    def the_books_are_the_models(self):
        if not hasattr(self, "pool"):
            return
        rows = self.runner.run(self._rows())
        assert sum(balance for balance, _ in rows.values()) == 0
        for (owner, code), (balance, held) in rows.items():
            if owner is not None and owner not in self.people:
                continue  # of a run before: what they earned may mature in this one
            start = self.start.get((owner, code), (0, 0))
            assert balance - start[0] == self.balances[owner, code], (owner, code)
            assert held - start[1] == self.held[owner, code]
            assert balance >= held or not CHART[code].guarded
        assert sum(self.balances.values()) == 0

    def teardown(self):
        if hasattr(self, "pool"):
            self.runner.run(self._replay())
            self.runner.close()

    async def _replay(self):
        broken = await self.pool.fetch(
            """
            SELECT * FROM (
                SELECT account_id, balance_minor AS stated, posted_at, sum(amount_minor)
                    OVER (PARTITION BY account_id ORDER BY entry_id) AS replayed,
                    lag(posted_at) OVER (PARTITION BY account_id ORDER BY entry_id) AS before
                FROM ledger.journal_entries) e
            WHERE stated <> replayed OR posted_at < before
            """
        )
        wrong = await self.pool.fetch(
            """
            SELECT account_id FROM ledger.accounts a
            WHERE balance_minor <> coalesce((
                SELECT sum(amount_minor) FROM ledger.journal_entries e
                WHERE e.account_id = a.account_id), 0)
            """
        )
        holds = await self.pool.fetchval(
            """
            SELECT count(*) FROM ledger.accounts a WHERE held_minor <> coalesce((
                SELECT sum(amount_minor - captured_minor) FROM ledger.holds h
                WHERE h.account_id = a.account_id AND state = 'open'), 0)
            """
        )
        await self.ledger.close()
        self.pool.terminate()
        assert (broken, wrong, holds) == ([], [], 0)


@pytest.mark.slow
async def test_the_books_are_the_models_whatever_is_done(database_url):
    machine = type("Machine", (Books,), {"url": database_url})
    run = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=run)
