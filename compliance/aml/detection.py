"""From the gifts of one payer to what the rules find in them.

At every gift the features are drawn from the windows that end with it, all rules are asked, and
what they find at that gift is scored together. A finding is fresh where its window holds a gift
that no worker saw before; only fresh ones lead to alerts, the others stand beside them as further
reasons. So it does not matter in what order or in what batches gifts arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from compliance.aml.features import Features, GiftActivity
from compliance.aml.graph import GiftGraph, hour_of
from compliance.aml.rules import RULES, near_threshold
from compliance.aml.score import AlertType, Finding, combined_score
from compliance.aml.windows import SlidingWindow, in_order, within
from config.aml import AmlSettings


@dataclass(frozen=True, slots=True)
class Detection:
    """The worst that one rule found about one payer, and what else was found at that gift."""

    user_id: UUID
    alert_type: AlertType
    transaction_id: UUID
    """The gift at which it was found."""
    reasons: tuple[Finding, ...]
    """The rule's own finding first, then those of other rules at the same gift."""
    event_ids: tuple[UUID, ...]
    """The gifts that the rule's own finding rests on, in order of time, the latest ones."""


@dataclass(frozen=True, slots=True)
class _Assessment:
    """What all rules found at one gift."""

    gift: GiftActivity
    findings: Mapping[AlertType, Finding]
    fresh: frozenset[AlertType]

    def rank(self, rule: AlertType) -> tuple[int, int]:
        """How bad it is: by all findings together, then by the rule's own."""
        return combined_score(self.findings.values()), self.findings[rule].score


def detect(
    unseen: Sequence[GiftActivity],
    history: Iterable[GiftActivity],
    graph: GiftGraph,
    settings: AmlSettings,
) -> list[Detection]:
    """What the rules find about one payer: at most one detection a rule, the worst.

    `unseen` are the payer's gifts that no worker saw before, at least one; `history` those that
    share a window with them. `graph` holds the edges of both.
    """
    gifts = in_order([*history, *unseen])
    unseen_ids = frozenset(gift.event_id for gift in unseen)
    worst: dict[AlertType, _Assessment] = {}
    for assessment in _assessments(gifts, unseen_ids, graph, settings):
        for rule in assessment.fresh:
            if rule not in worst or assessment.rank(rule) >= worst[rule].rank(rule):
                worst[rule] = assessment
    return [
        Detection(
            user_id=found.gift.payer_id,
            alert_type=rule,
            transaction_id=found.gift.transaction_id,
            reasons=(
                found.findings[rule],
                *(finding for other, finding in found.findings.items() if other != rule),
            ),
            event_ids=_evidence(rule, found.gift, gifts, settings),
        )
        for rule, found in worst.items()
    ]


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
