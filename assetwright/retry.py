"""When to try again, and when to give up."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetwright.errors import ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetwright.errors import AssetwrightError

__all__ = ["Backoff", "Interruption", "Patience", "RetryPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from the first to the longest, in seconds, each shortened at random.

    Without the chance, every client that a restart cut off would come back at the same moment.
    """

    first_s: float = 0.25
    longest_s: float = 10.0

    def delay_s(self, attempt: int, *, chance: float) -> float:
        """Return the wait before an attempt (from 0); a chance of 1 gives all of it, 0 half."""
        doubled = self.first_s * 2.0 ** min(attempt, 32)
        return min(doubled, self.longest_s) * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """A connection that broke and is about to be tried again.

    Attributes:
        cause: Why.
        retry_in_s: Seconds until the next attempt.
        job_id: The job that is being followed; None before one was accepted, and in transfers.
    """

    cause: AssetwrightError
    retry_in_s: float
    job_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How the client deals with broken connections.

    Attributes:
        patience_s: Seconds of continuous failure after which it gives up.
        silence_s: Seconds without any message after which a stream counts as broken; three of the
            server's heartbeats.
        backoff: The waits between attempts.
        on_interruption: Called before each wait.
    """

    patience_s: float = 120.0
    silence_s: float = 45.0
    backoff: Backoff = field(default_factory=Backoff)
    on_interruption: Callable[[Interruption], None] | None = None


class Patience:
    """Counts the failures since something last worked, and waits between them."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failing_since: float | None = None
        self._attempt = 0

    def renew(self) -> None:
        """Start afresh: something worked."""
        self._failing_since = None
        self._attempt = 0

    async def wait(
        self,
        cause: AssetwrightError,
        *,
        job_id: str | None = None,
        last_sequence: int | None = None,
    ) -> None:
        """Wait before the next attempt, as long as the server asked for if it did.

        Raises:
            ServerUnavailable: The patience would end before the next attempt.
        """
        now = asyncio.get_running_loop().time()
        self._failing_since = now if self._failing_since is None else self._failing_since
        backoff_s = self._policy.backoff.delay_s(
            self._attempt,
            chance=random.random(),  # noqa: S311  # Spreads load; guards nothing.
        )
        delay_s = max(backoff_s, cause.retry_after_s or 0.0)
        if now + delay_s - self._failing_since > self._policy.patience_s:
            raise _gave_up(cause, job_id=job_id, last_sequence=last_sequence) from cause
        self._attempt += 1
        if self._policy.on_interruption is not None:
            self._policy.on_interruption(
                Interruption(cause=cause, retry_in_s=delay_s, job_id=job_id)
            )
        await asyncio.sleep(delay_s)


def _gave_up(
    cause: AssetwrightError, *, job_id: str | None, last_sequence: int | None
) -> ServerUnavailable:
    error = ServerUnavailable(
        f"The server cannot be reached: {cause}", reason=cause.reason, metadata=cause.metadata
    )
    error.job_id = job_id
    error.last_sequence = last_sequence
    return error
