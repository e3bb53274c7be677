"""Rate limits: token buckets, and a bounded table of them.

A bucket of N per P seconds holds N tokens and refills at N/P a second, so no stretch of time t ever
sees more than N + t·N/P takes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` takes per `per_s` seconds, all of which may come at once."""

    count: int
    per_s: float


@dataclass(slots=True)
class TokenBucket:
    """One limited thing. Starts full."""

    rate: Rate
    tokens: float = field(init=False)
    filled_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.tokens = float(self.rate.count)

    def take(self, now: float) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        rate = self.rate
        elapsed = max(0.0, now - self.filled_at)
        self.tokens = min(float(rate.count), self.tokens + elapsed * rate.count / rate.per_s)
        self.filled_at = max(now, self.filled_at)
        if self.tokens < 1.0:
            return (1.0 - self.tokens) * rate.per_s / rate.count
        self.tokens -= 1.0
        return 0.0

    def is_full_at(self, now: float) -> bool:
        """Whether a new bucket would behave as this one does."""
        missing = self.rate.count - self.tokens
        return now >= self.filled_at + missing * self.rate.per_s / self.rate.count


class RateLimiter:
    """Buckets by key; those that are full again are forgotten.

    At most `capacity` keys are held: above it the one longest unused is forgotten, so a flood of
    keys costs a bounded amount of memory and at worst gives an idle key a fresh bucket.
    """

    def __init__(self, rate: Rate, capacity: int = 100_000) -> None:
        self._rate = rate
        self._capacity = capacity
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now: float) -> float:
        """As TokenBucket.take, for the bucket of `key`."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate)
            self._forget_oldest(now)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(now)

    def _forget_oldest(self, now: float) -> None:
        # Two at most for each new one: amortised, and never a long pause.
        for _ in range(2):
            key, bucket = next(iter(self._buckets.items()))
            is_new = bucket.filled_at == 0.0
            if len(self._buckets) <= self._capacity and (is_new or not bucket.is_full_at(now)):
                return
            del self._buckets[key]
