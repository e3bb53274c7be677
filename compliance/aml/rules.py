"""The rules: each takes what is known about a payer at a gift and answers with a finding or None.

A rule is pure, and monotone: more of what it looks for never lowers its score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from compliance.aml.features import Features
from compliance.aml.score import FULL, AlertType, Finding, excess_score
from config.aml import AmlSettings

Rule: TypeAlias = Callable[[Features, AmlSettings], Finding | None]


def gift_velocity(features: Features, settings: AmlSettings) -> Finding | None:
    """More gifts, or more coins, from one payer in a short window than is usual.

    Scored by the worse of both against its limit. Source: FATF, Virtual Assets Red Flag Indicators
    (2020): many transactions in short succession.
    """
    recent = features.recent
    gifts_limit, amount_limit = settings.velocity_max_gifts, settings.velocity_max_amount_minor
    if recent.gifts <= gifts_limit and recent.amount_minor <= amount_limit:
        return None
    return Finding(
        rule=AlertType.GIFT_VELOCITY,
        score=max(
            excess_score(recent.gifts, gifts_limit),
            excess_score(recent.amount_minor, amount_limit),
        ),
        explanation=(
            f"{recent.gifts:,} gifts worth {recent.amount_minor:,} coins in "
            f"{_span(settings.velocity_window_s)}; the limits are {gifts_limit:,} gifts and "
            f"{amount_limit:,} coins."
        ),
        figures={
            "gifts": recent.gifts,
            "amount_minor": recent.amount_minor,
            "window_s": settings.velocity_window_s,
            "limit": gifts_limit,
            "limit_minor": amount_limit,
        },
    )


def near_threshold(amount_minor: int, settings: AmlSettings) -> bool:
    """Whether a payment is just below the reporting threshold."""
    return settings.structuring_floor_minor <= amount_minor < settings.structuring_threshold_minor


def structuring(features: Features, settings: AmlSettings) -> Finding | None:
    """Several payments of one payer just below the threshold at which one would be looked into.

    60 at the least number of payments that counts, 10 more for each further one. Source: 31 USC
    §5324 (structuring transactions to evade reporting); the threshold follows FATF
    Recommendation 16.
    """
    payments = features.near_threshold.gifts
    if payments < settings.structuring_min_payments:
        return None
    floor, threshold = settings.structuring_floor_minor, settings.structuring_threshold_minor
    return Finding(
        rule=AlertType.STRUCTURING,
        score=min(FULL, 60 + 10 * (payments - settings.structuring_min_payments)),
        explanation=(
            f"{payments:,} payments of {floor:,} to {threshold - 1:,} coins in "
            f"{_span(settings.structuring_window_s)}, each just below the threshold of "
            f"{threshold:,}; together {features.near_threshold.amount_minor:,} coins."
        ),
        figures={
            "payments": payments,
            "amount_minor": features.near_threshold.amount_minor,
            "window_s": settings.structuring_window_s,
            "floor_minor": floor,
            "threshold_minor": threshold,
            "limit": settings.structuring_min_payments,
        },
    )


def circular_gifting(features: Features, settings: AmlSettings) -> Finding | None:
    """Gifts that come back to their giver through at most a few accounts, most of their worth kept.

    50 at the least return that counts, up to 100 where every hop carries the same. Source: FATF,
    Virtual Assets Red Flag Indicators (2020); wash trading under 7 USC §6c(a).
    """
    circle, least_percent = features.circle, settings.circular_min_return_percent
    if (
        circle is None
        or len(circle.accounts) > settings.circular_max_length
        or circle.least_minor < settings.circular_min_amount_minor
        or circle.return_percent < least_percent
    ):
        return None
    return Finding(
        rule=AlertType.CIRCULAR_GIFTING,
        score=50 + 50 * (circle.return_percent - least_percent) // (100 - least_percent),
        explanation=(
            f"Gifts went round {len(circle.accounts)} accounts and came back to their giver "
            f"within {_span(settings.circular_window_s)}: every hop carried "
            f"{circle.least_minor:,} to {circle.greatest_minor:,} coins, a return of "
            f"{circle.return_percent} %."
        ),
        figures={
            "accounts": [str(account) for account in circle.accounts],
            "least_minor": circle.least_minor,
            "greatest_minor": circle.greatest_minor,
            "return_percent": circle.return_percent,
            "window_s": settings.circular_window_s,
            "limit_percent": least_percent,
        },
    )


def _span(seconds: int) -> str:
    """A window for people: whole hours where it is some, else seconds."""
    hours, rest = divmod(seconds, 3_600)
    return f"{seconds} s" if rest or not hours else f"{hours} h"


RULES: Mapping[AlertType, Rule] = MappingProxyType(
    {
        AlertType.GIFT_VELOCITY: gift_velocity,
        AlertType.STRUCTURING: structuring,
        AlertType.CIRCULAR_GIFTING: circular_gifting,
    }
)
"""Every rule by the type of the alerts that it raises."""
