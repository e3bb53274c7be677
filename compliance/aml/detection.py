"""From the gifts of one payer to what the rules find in them.

At every gift the features are drawn from the windows that end with it, all rules are asked, and
what they find at that gift is scored together. A finding is fresh where its window holds a gift
that no worker saw before; only fresh ones lead to alerts, the others stand beside them as further
reasons. So what a rule finds does not depend on the order or the batches in which gifts arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from compliance.aml.features import Features, GiftActivity
from compliance.aml.graph import GiftGraph, hour_of
from compliance.aml.rules import RULES, near_threshold
from compliance.aml.score import AlertType, Finding, combined_score, worst_by_rule
from compliance.aml.windows import SlidingWindow, in_order, within
from config.aml import AmlSettings


@dataclass(frozen=True, slots=True)
class Detection:
    """What one rule found about one payer, bad enough for an alert."""

    user_id: UUID
    alert_type: AlertType
    transaction_id: UUID
    """The gift at which the rule's finding was worst."""
    reasons: tuple[Finding, ...]
    """The rule's own finding first, then what others found at the same gifts; of each the worst."""
    event_ids: tuple[UUID, ...]
    """The gifts that the rule's own finding rests on, in order of time, the latest ones."""


@dataclass(frozen=True, slots=True)
class _Assessment:
    """What all rules found at one gift."""

    gift: GiftActivity
    findings: Mapping[AlertType, Finding]
    fresh: frozenset[AlertType]

    def reasons(self, first: AlertType) -> Iterator[Finding]:
        yield self.findings[first]
        yield from (finding for rule, finding in self.findings.items() if rule != first)


def detect(
    unseen: Sequence[GiftActivity],
    history: Iterable[GiftActivity],
    graph: GiftGraph,
    settings: AmlSettings,
) -> list[Detection]:
    """What is bad enough for an alert in one payer's gifts; at most one detection a rule.

    That is decided at each gift: all findings there together reach `alert_score`. `unseen` are the
    payer's gifts that no worker saw before, at least one; `history` those that share a window with
    them. `graph` holds the edges of both.
    """
    gifts = in_order([*history, *unseen])
    unseen_ids = frozenset(gift.event_id for gift in unseen)
    bad: dict[AlertType, list[_Assessment]] = {}
    for assessment in _assessments(gifts, unseen_ids, graph, settings):
        if combined_score(assessment.findings.values()) >= settings.alert_score:
            for rule in assessment.fresh:
                bad.setdefault(rule, []).append(assessment)
    return [_detection(rule, assessments, gifts, settings) for rule, assessments in bad.items()]


def _detection(
    rule: AlertType,
    assessments: Sequence[_Assessment],
    gifts: Sequence[GiftActivity],
    settings: AmlSettings,
) -> Detection:
    worst = max(reversed(assessments), key=lambda each: each.findings[rule].score)
    return Detection(
        user_id=worst.gift.payer_id,
        alert_type=rule,
        transaction_id=worst.gift.transaction_id,
        reasons=worst_by_rule(reason for each in assessments for reason in each.reasons(rule)),
        event_ids=_evidence(rule, worst.gift, gifts, settings),
    )


def _assessments(
    gifts: Sequence[GiftActivity],
    unseen_ids: frozenset[UUID],
    graph: GiftGraph,
    settings: AmlSettings,
) -> Iterator[_Assessment]:
    """What is found at each gift where there is anything fresh."""
    recent = SlidingWindow(settings.velocity_window_s)
    near = SlidingWindow(settings.structuring_window_s)
    for gift in gifts:
        unseen = gift.event_id in unseen_ids
        recent.add(gift, unseen=unseen)
        near.advance(gift.occurred_at)
        if near_threshold(gift.amount_minor, settings):
            near.add(gift, unseen=unseen)
        fresh = {
            AlertType.GIFT_VELOCITY: recent.holds_unseen,
            AlertType.STRUCTURING: near.holds_unseen,
            AlertType.CIRCULAR_GIFTING: unseen,
        }
        if not any(fresh.values()):
            continue
        hour = hour_of(gift.occurred_at)
        circle = graph.best_circle(gift.payer_id, gift.payee_id, hour) if unseen else None
        features = Features(recent.totals, near.totals, circle)
        asked = ((name, rule(features, settings)) for name, rule in RULES.items())
        findings = {name: finding for name, finding in asked if finding is not None}
        if fresh_findings := frozenset(name for name in findings if fresh[name]):
            yield _Assessment(gift, findings, fresh_findings)


def _evidence(
    rule: AlertType, gift: GiftActivity, gifts: Sequence[GiftActivity], settings: AmlSettings
) -> tuple[UUID, ...]:
    end, most = gift.occurred_at, settings.alert_max_event_ids
    match rule:
        case AlertType.GIFT_VELOCITY:
            return within(gifts, end, settings.velocity_window_s, most)
        case AlertType.STRUCTURING:
            near = [each for each in gifts if near_threshold(each.amount_minor, settings)]
            return within(near, end, settings.structuring_window_s, most)
        case AlertType.CIRCULAR_GIFTING:
            return (gift.event_id,)
