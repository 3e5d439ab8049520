"""The three forms in which the pages show times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.gateway.timestamps import read_timestamp


@pytest.mark.parametrize(
    ("shown", "time"),
    [
        ("2026-05-22T13:17:32.110Z", datetime(2026, 5, 22, 13, 17, 32, 110000, tzinfo=UTC)),
        ("2026-05-22 13:19:23", datetime(2026, 5, 22, 13, 19, 23, tzinfo=UTC)),
        ("2026-05-22T15:19:23+02:00", datetime(2026, 5, 22, 13, 19, 23, tzinfo=UTC)),
        (1768311019767, datetime(2026, 1, 13, 13, 30, 19, 767000, tzinfo=UTC)),
        ("...", None),
        ("", None),
        (None, None),
        (True, None),
        (10**30, None),
        (float("nan"), None),
        ("0001-01-01T00:00:00+23:00", None),
        ([], None),
    ],
)
def test_a_time_is_read_in_utc_or_not_at_all(shown: object, time: datetime | None) -> None:
    assert read_timestamp(shown) == time


@given(st.text(max_size=40) | st.integers() | st.floats() | st.none())
def test_no_time_is_reason_to_fail(shown: object) -> None:
    found = read_timestamp(shown)
    assert found is None or found.tzinfo is UTC
