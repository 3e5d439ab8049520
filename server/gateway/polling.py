"""When to ask again. Pure: time and chance come in as arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["PollPace"]

_SHARE_OF_REMAINING = 0.25  # Four more looks until the expected end, each at a quarter of the rest.
_OVERRUN_SHARE = 0.5  # Late already: the later it is, the longer it may still take.
_JITTER = 0.1
_MAX_BACK_OFF_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPace:
    """The pauses between two status requests of one job, in seconds."""

    shortest_s: float
    longest_s: float

    def pause_s(
        self, *, elapsed_s: float, expected_s: float | None, chance: random.Random
    ) -> float:
        """Return how long to wait after an answer that was not final.

        Short near the expected end, longer before and after it, with a little jitter so that jobs
        that began together do not ask together.
        """
        if expected_s is None:
            pause = self.shortest_s
        elif elapsed_s < expected_s:
            pause = (expected_s - elapsed_s) * _SHARE_OF_REMAINING
        else:
            pause = (elapsed_s - expected_s) * _OVERRUN_SHARE
        pause = min(max(pause, self.shortest_s), self.longest_s)
        return pause * (1 + _JITTER * chance.random())

    def back_off_s(
        self, *, failures: int, retry_after_s: float | None, chance: random.Random
    ) -> float:
        """Return how long to wait after the `failures`-th failure in a row.

        Never less than what the gateway asked for with Retry-After.
        """
        most = min(self.shortest_s * 2.0**failures, max(_MAX_BACK_OFF_S, self.shortest_s))
        pause = self.shortest_s + (most - self.shortest_s) * chance.random()
        return max(pause, retry_after_s or 0.0)
