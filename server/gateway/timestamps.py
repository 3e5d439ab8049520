"""Read the three forms in which the pages show times.

`2026-05-22T13:17:32.110Z` and `2026-05-22 13:19:23` stand in one payload of the Pixal3D page; the
batch page shows milliseconds since 1970. The form without a zone is read as UTC, which alone fits
the other times of that payload.
"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["read_timestamp"]

_MILLIS = 1_000


def read_timestamp(value: object) -> datetime | None:
    """Return a time in UTC; None when it is absent or in another form.

    A time is told, never relied on: one that cannot be read is no reason to lose a result.
    """
    try:
        if isinstance(value, str):
            return _in_utc(datetime.fromisoformat(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / _MILLIS, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
