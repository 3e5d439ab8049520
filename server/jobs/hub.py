"""Wake those who watch a job in this process, with what was just stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from server.jobs.events import LogEntry

__all__ = ["Hub", "Subscription"]

_MAX_WAITING = 64  # Entries; a reader further behind goes back to the log.


class Subscription:
    """New entries of one job for one reader. Bounded: a slow reader is sent back to the log."""

    def __init__(self) -> None:
        self._waiting: list[LogEntry] = []
        self._wake = asyncio.Event()
        self.lagging = False

    def offer(self, entries: Sequence[LogEntry]) -> None:
        """Take what was stored."""
        if len(self._waiting) + len(entries) > _MAX_WAITING:
            self._waiting.clear()
            self.lagging = True
        else:
            self._waiting.extend(entries)
        self._wake.set()

    def wake(self) -> None:
        """End a `take` that waits."""
        self._wake.set()

    def look(self) -> None:
        """End a `take` that waits, and send the reader to the log."""
        self.lagging = True
        self._wake.set()

    async def take(self, timeout_s: float) -> list[LogEntry]:
        """Return what has come since, or nothing after `timeout_s` seconds or when lagging."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        self._wake.clear()
        taken, self._waiting = self._waiting, []
        return taken


class Hub:
    """Who watches which job in this process."""

    def __init__(self) -> None:
        self._by_job: defaultdict[str, set[Subscription]] = defaultdict(set)

    @contextlib.contextmanager
    def subscribe(self, job_id: str) -> Iterator[Subscription]:
        """Hear of a job's new entries."""
        subscription = Subscription()
        self._by_job[job_id].add(subscription)
        try:
            yield subscription
        finally:
            watching = self._by_job[job_id]
            watching.discard(subscription)
            if not watching:
                del self._by_job[job_id]

    def publish(self, entries: Sequence[LogEntry]) -> None:
        """Tell of entries of one job that are on disk."""
        if entries:
            for subscription in self._by_job.get(entries[0].job_id, ()):
                subscription.offer(entries)

    def look(self, job_id: str) -> None:
        """Tell of entries of one job that another process stored."""
        for subscription in self._by_job.get(job_id, ()):
            subscription.look()

    def look_all(self) -> None:
        """Send every reader to the log."""
        for job_id in self._by_job:
            self.look(job_id)

    def wake(self) -> None:
        """Let everyone look around: something beside the logs has changed."""
        for watching in self._by_job.values():
            for subscription in watching:
                subscription.wake()
