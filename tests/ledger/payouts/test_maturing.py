"""Earnings are asked for at their age, again and again."""

import asyncio
from datetime import timedelta

import pytest

from config.payouts import PayoutSettings
from ledger.errors import LedgerBusy
from ledger.payouts.maturing import Maturing


class Earnings:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.asked_often = asyncio.Event()

    async def mature(self, before):
        self.asked.append(before)
        if len(self.asked) >= 3:
            self.asked_often.set()
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_is_old_enough_is_asked_for(clock):
    earnings = Earnings(4)
    maturing = Maturing(earnings, PayoutSettings(maturity_days=7), clock=clock)
    assert await maturing.mature_once() == 4
    assert earnings.asked == [clock() - timedelta(days=7)]


async def test_a_busy_ledger_is_asked_the_next_time(clock):
    earnings = Earnings(LedgerBusy())
    maturing = Maturing(earnings, PayoutSettings(maturing_s=0.001), clock=clock)
    task = asyncio.create_task(maturing.run())
    async with asyncio.timeout(5):
        await earnings.asked_often.wait()
    task.cancel()
    await asyncio.wait([task])


async def test_a_fault_of_ours_is_not_hidden(clock):
    maturing = Maturing(Earnings(ValueError("bug")), PayoutSettings(), clock=clock)
    with pytest.raises(ValueError, match="bug"):
        await maturing.run()
