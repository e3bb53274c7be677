"""Alerts: how they grow, cool down and move."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.aml.alerts import (
    MAX_NOTE_CHARS,
    TRANSITIONS,
    Alert,
    AlertAction,
    AlertOutcome,
    AlertStatus,
    assigned,
    extended,
    is_cooling,
    raised,
    resolved,
)
from compliance.aml.detection import Detection
from compliance.aml.errors import InvalidTransition
from compliance.aml.score import AlertType, Finding, combined_score
from compliance.errors import InvalidField
from tests.support.gifts import START, account

VELOCITY, STRUCTURING = AlertType.GIFT_VELOCITY, AlertType.STRUCTURING
LATER = START + timedelta(hours=1)
ADMIN = account(9)


def detection(*scores: tuple[AlertType, int], events: tuple[int, ...] = (1,)) -> Detection:
    return Detection(
        user_id=account(1),
        alert_type=scores[0][0],
        transaction_id=account(100 + events[0]),
        reasons=tuple(Finding(rule, score, f"{rule} {score}", {}) for rule, score in scores),
        event_ids=tuple(account(number) for number in events),
    )


def alert(status: AlertStatus = AlertStatus.OPEN, score: int = 60) -> Alert:
    return replace(raised(detection((VELOCITY, score)), account(50), START), status=status)


def test_a_new_alert_is_open_and_scored_by_all_its_reasons() -> None:
    new = raised(detection((VELOCITY, 50), (STRUCTURING, 60), events=(3, 4)), account(50), START)
    assert (new.status, new.alert_type, new.risk_score) == (AlertStatus.OPEN, VELOCITY, 80)
    assert new.transaction_id == account(103)
    assert new.created_at == new.updated_at == START


def test_it_grows_by_rule_and_by_event() -> None:
    first = raised(detection((VELOCITY, 50), events=(1, 2)), account(50), START)
    grown = extended(first, detection((VELOCITY, 70), (STRUCTURING, 60), events=(2, 3)), 9, LATER)
    assert [(reason.rule, reason.score) for reason in grown.reasons] == [
        (VELOCITY, 70),
        (STRUCTURING, 60),
    ]
    assert grown.risk_score == 88
    assert grown.event_ids == (account(1), account(2), account(3))
    assert (grown.created_at, grown.updated_at) == (START, LATER)
    assert (grown.alert_id, grown.transaction_id) == (first.alert_id, first.transaction_id)


def test_a_lesser_finding_leaves_the_worse_one() -> None:
    grown = extended(alert(score=90), detection((VELOCITY, 55)), 9, LATER)
    assert grown.reasons[0].score == 90
    assert grown.risk_score == 90


def test_of_equal_findings_the_later_figures_are_told() -> None:
    later = detection((VELOCITY, 60))
    later = replace(later, reasons=(replace(later.reasons[0], explanation="newer"),))
    assert extended(alert(score=60), later, 9, LATER).reasons[0].explanation == "newer"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(list(AlertType)),
        st.integers(1, 100),
        st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
    ),
    min_size=1,
    max_size=12,
)


@given(STEPS, st.integers(1, 8))
def test_growing_is_bounded_and_the_score_never_falls(
    steps: list[tuple[AlertType, int, list[int]]], most: int
) -> None:
    grown = alert()
    for rule, score, events in steps:
        before = grown.risk_score
        found = detection((VELOCITY, score), (rule, score), events=tuple(events))
        grown = extended(grown, found, most, LATER)
        assert before <= grown.risk_score <= 100
        assert grown.risk_score == combined_score(grown.reasons)
        assert len(grown.reasons) <= len(AlertType)
        assert len(set(grown.event_ids)) == len(grown.event_ids) <= most
        assert grown.reasons[0].rule == VELOCITY


@pytest.mark.parametrize(
    ("judged", "score", "cooling"),
    [(None, 100, False), (60, 59, True), (60, 60, True), (60, 61, False)],
)
def test_what_a_person_judged_is_not_raised_again_unless_it_is_worse(
    judged: int | None, score: int, cooling: bool
) -> None:
    lately = None if judged is None else alert(AlertStatus.RESOLVED, judged)
    assert is_cooling(lately, detection((VELOCITY, score))) is cooling


TABLE = [
    (AlertStatus.OPEN, AlertAction.ASSIGN, AlertStatus.ASSIGNED),
    (AlertStatus.OPEN, AlertAction.UNASSIGN, AlertStatus.OPEN),
    (AlertStatus.OPEN, AlertAction.RESOLVE, AlertStatus.RESOLVED),
    (AlertStatus.ASSIGNED, AlertAction.ASSIGN, AlertStatus.ASSIGNED),
    (AlertStatus.ASSIGNED, AlertAction.UNASSIGN, AlertStatus.OPEN),
    (AlertStatus.ASSIGNED, AlertAction.RESOLVE, AlertStatus.RESOLVED),
    (AlertStatus.RESOLVED, AlertAction.ASSIGN, None),
    (AlertStatus.RESOLVED, AlertAction.UNASSIGN, None),
    (AlertStatus.RESOLVED, AlertAction.RESOLVE, None),
]


def act(alert: Alert, action: AlertAction) -> Alert:
    match action:
        case AlertAction.ASSIGN:
            return assigned(alert, account(7), ADMIN, LATER)
        case AlertAction.UNASSIGN:
            return assigned(alert, None, ADMIN, LATER)
        case AlertAction.RESOLVE:
            return resolved(alert, "cleared", "A raffle.", ADMIN, LATER)


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(AlertStatus)
    assert len(TABLE) == len(AlertStatus) * len(AlertAction)


@pytest.mark.parametrize(("status", "action", "after"), TABLE)
def test_transitions(status: AlertStatus, action: AlertAction, after: AlertStatus | None) -> None:
    if after is None:
        with pytest.raises(InvalidTransition) as refusal:
            act(alert(status), action)
        assert action in refusal.value.message
    else:
        assert act(alert(status), action).status == after


def test_an_assigned_alert_says_whose_it_is() -> None:
    changed = assigned(alert(), account(7), ADMIN, LATER)
    assert (changed.assigned_to, changed.assigned_by) == (account(7), ADMIN)
    assert changed.updated_at == LATER
    assert assigned(changed, None, ADMIN, LATER).assigned_to is None


def test_a_resolved_alert_says_how_why_and_by_whom() -> None:
    changed = resolved(alert(), "confirmed", "  Same card. ", ADMIN, LATER)
    assert (changed.outcome, changed.note) == (AlertOutcome.CONFIRMED, "Same card.")
    assert (changed.resolved_by, changed.resolved_at, changed.updated_at) == (ADMIN, LATER, LATER)


@pytest.mark.parametrize(
    ("outcome", "note", "field"),
    [
        ("maybe", "Why.", "outcome"),
        ("", "Why.", "outcome"),
        ("cleared", "", "note"),
        ("cleared", " \n ", "note"),
        ("cleared", "x" * (MAX_NOTE_CHARS + 1), "note"),
        ("cleared", "a\0b", "note"),
    ],
)
def test_what_cannot_be_kept_is_refused(outcome: str, note: str, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        resolved(alert(), outcome, note, ADMIN, LATER)
    assert refusal.value.field == field
