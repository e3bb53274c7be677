from uuid import uuid4

from tests.sim.history import History, Key, Outcome

GIFT = {"count": 1}


def test_a_call_without_answer_is_unknown() -> None:
    history = History()
    history.begin(Key(uuid4(), uuid4()), "gift", GIFT)
    [request] = history.requests()
    assert request.outcome is Outcome.UNKNOWN
    assert request.acknowledged is None
    assert not request.answers


def test_tries_of_a_request_are_judged_together() -> None:
    history, key = History(), Key(uuid4(), uuid4())
    answers = []
    for outcome in (Outcome.REFUSED, Outcome.UNKNOWN, Outcome.OK, Outcome.OK):
        history.end(history.begin(key, "gift", GIFT), outcome, {"try": outcome.value})
        [request] = history.requests()
        answers.append(request.outcome)
    assert answers == [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.OK, Outcome.OK]
    assert request.answers == [{"try": "ok"}] * 2
    assert (request.began, request.acknowledged) == (1, 6)
