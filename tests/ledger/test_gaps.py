"""Gaps in the sequence: by example, and against a simulated database that commits in any order."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.gaps import Gaps


def test_numbers_without_a_gap_are_ready():
    assert Gaps().ready(4, [5, 6, 7], oldest_running=0) == 3
    assert Gaps().ready(4, [], oldest_running=0) == 0


def test_events_behind_a_gap_wait_for_who_may_fill_it():
    gaps = Gaps()
    assert gaps.ready(4, [5, 7, 8], oldest_running=100) == 1
    gaps.watch(8, transaction=120)
    assert gaps.watched
    assert gaps.ready(5, [7, 8], oldest_running=119) == 0
    assert gaps.ready(5, [6, 7, 8], oldest_running=119) == 3  # filled


def test_a_gap_that_nobody_can_fill_any_more_is_passed():
    gaps = Gaps()
    assert gaps.ready(4, [6], oldest_running=100) == 0
    gaps.watch(6, transaction=120)
    assert gaps.ready(4, [6, 8], oldest_running=120) == 1
    assert not gaps.watched  # so that the gap behind 6 can be


def test_a_gap_at_the_front_counts_too():
    assert Gaps().ready(0, [2], oldest_running=100) == 0


def test_nothing_is_known_of_numbers_that_are_drawn_again():
    gaps = Gaps()
    gaps.ready(98, [100], oldest_running=500)
    gaps.watch(100, transaction=501)
    assert gaps.ready(98, [100], oldest_running=501) == 1
    # A standby without the end of the log was promoted: 91 is on its way again.
    assert gaps.ready(90, [92], oldest_running=400) == 0
    assert not gaps.watched


class Database:
    """Transactions that draw numbers, and end in any order; ids are given as PostgreSQL does."""

    def __init__(self):
        self.next_id, self.next_number = 1, 1
        self.running = {}
        self.committed = []

    def begin(self):
        self.running[self.next_id] = []
        self.next_id += 1

    def draw(self, transaction):
        self.running[transaction].append(self.next_number)
        self.next_number += 1

    def end(self, transaction, commits):
        numbers = self.running.pop(transaction)
        if commits:
            self.committed = sorted(self.committed + numbers)

    def oldest_running(self):
        return min(self.running, default=self.next_id)


def look(database, gaps, published, limit):
    """A turn of the publisher, as ledger.outbox has it."""
    cursor = published[-1] if published else 0
    oldest = database.oldest_running()
    seen = [number for number in database.committed if number > cursor][:limit]
    ready = gaps.ready(cursor, seen, oldest)
    if ready < len(seen) and not gaps.watched:
        gaps.watch(seen[-1], database.next_id)
        database.next_id += 1
    published += seen[:ready]


@given(st.data())
def test_whatever_commits_is_published_once_and_in_order(data):
    database, gaps, published = Database(), Gaps(), []
    for _ in range(data.draw(st.integers(1, 60))):
        action = data.draw(st.sampled_from(["begin", "draw", "commit", "roll back", "look"]))
        if action == "begin":
            database.begin()
        elif action == "look":
            look(database, gaps, published, data.draw(st.integers(1, 5)))
        elif database.running:
            transaction = data.draw(st.sampled_from(sorted(database.running)))
            if action == "draw":
                database.draw(transaction)
            else:
                database.end(transaction, commits=action == "commit")
    for transaction in sorted(database.running):
        database.end(transaction, commits=True)
    for _ in range(3 * database.next_number + 3):
        look(database, gaps, published, 5)
    assert published == database.committed
