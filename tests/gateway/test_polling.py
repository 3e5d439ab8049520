"""When to ask again."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from server.gateway.polling import PollPace

PACE = PollPace(shortest_s=2, longest_s=15)
_SECONDS = st.floats(0, 1e6)


class _NoChance(random.Random):
    """Neither early nor late."""

    def random(self) -> float:
        return 0.0


CHANCE = _NoChance()


def _pause_s(elapsed_s: float, expected_s: float | None) -> float:
    return PACE.pause_s(elapsed_s=elapsed_s, expected_s=expected_s, chance=CHANCE)


@given(elapsed_s=_SECONDS, expected_s=st.none() | _SECONDS, seed=st.integers())
def test_a_pause_stays_in_its_range(elapsed_s: float, expected_s: float | None, seed: int) -> None:
    """Up to a tenth more, so that jobs that began together drift apart."""
    pause = PACE.pause_s(
        elapsed_s=elapsed_s,
        expected_s=expected_s,
        chance=random.Random(seed),  # noqa: S311 - jitter, not a secret
    )
    assert 2 <= pause <= 15 * 1.1


def test_it_asks_often_near_the_expected_end_and_rarely_far_from_it() -> None:
    assert _pause_s(0, 40) == 10
    assert _pause_s(20, 40) == 5
    assert _pause_s(39, 40) == _pause_s(41, 40) == 2
    assert _pause_s(52, 40) == 6
    assert _pause_s(0, 400) == _pause_s(400, 40) == 15


def test_before_anything_is_known_it_asks_at_the_shortest() -> None:
    assert _pause_s(1000, None) == 2


@given(failures=st.integers(1, 900), seed=st.integers(), asked=st.none() | st.floats(0, 3600))
def test_a_failure_is_followed_by_a_longer_wait(
    failures: int, seed: int, asked: float | None
) -> None:
    """At least what the gateway asked for, and never more than a minute on our own account."""
    pause = PACE.back_off_s(
        failures=failures,
        retry_after_s=asked,
        chance=random.Random(seed),  # noqa: S311 - jitter, not a secret
    )
    assert max(2, asked or 0) <= pause <= max(60, asked or 0)
