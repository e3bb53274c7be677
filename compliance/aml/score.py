"""Findings, and the score that several of them make together.

Each rule scores its own finding from 0 to 100. Together they make

    score = 100 × (1 − ∏ (1 − sᵢ / 100)), rounded down

(the noisy-or of independent causes: J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988,
§4.3.2). One finding keeps its own score, a further or a higher one never lowers the total, and
nothing goes above 100. All arithmetic is on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import TypeAlias

FULL = 100

Figures: TypeAlias = Mapping[str, int | list[str]]


class AlertType(StrEnum):
    """What an alert is about: the rule that found it."""

    GIFT_VELOCITY = "gift_velocity"
    STRUCTURING = "structuring"
    CIRCULAR_GIFTING = "circular_gifting"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: why, how bad (1 to 100), and the figures that it rests on."""

    rule: AlertType
    score: int
    explanation: str
    figures: Figures


def worst_by_rule(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of each rule the finding with the highest score, of equals the last; in order of the rules'
    first appearance."""
    worst: dict[AlertType, Finding] = {}
    for finding in findings:
        known = worst.get(finding.rule)
        if known is None or finding.score >= known.score:
            worst[finding.rule] = finding
    return tuple(worst.values())


def combined_score(findings: Iterable[Finding]) -> int:
    """The score of all `findings` together, 0 to 100; 0 where there are none."""
    remaining = [FULL - finding.score for finding in findings]
    if not remaining:
        return 0
    scale: int = FULL ** (len(remaining) - 1)
    return FULL + -prod(remaining) // scale


def excess_score(observed: int, limit: int) -> int:
    """Score of a figure above its limit: 50 at the limit, 100 from three times the limit on."""
    return max(0, min(FULL, 50 + 25 * (observed - limit) // limit))
