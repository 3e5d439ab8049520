"""Follow a job's log: first what is stored, then what is new, wherever the job is worked on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from server.errors import Draining, PositionOutOfRange
from server.jobs.events import Idle, LogEntry, is_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from server.jobs.hub import Hub
    from server.jobs.store import Store

__all__ = ["LogReader"]

_REPLAY = 200  # Entries read from the log at once.
_DRAIN_RETRY_S = "2"


class LogReader:
    """Reads logs for as long as this process does not stop."""

    def __init__(self, *, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._draining = asyncio.Event()

    @property
    def is_draining(self) -> bool:
        """Whether this process stops."""
        return self._draining.is_set()

    def drain(self) -> None:
        """End the streams so that their clients resume later."""
        self._draining.set()
        self._hub.wake()

    def refuse_when_draining(self) -> None:
        """Refuse what cannot be brought to its end here.

        Raises:
            Draining: This process stops.
        """
        if self._draining.is_set():
            raise Draining("The server is shutting down.", retry_after_s=_DRAIN_RETRY_S)

    async def watch(  # noqa: C901 - one loop, to be read from top to bottom.
        self, job_id: str, *, after_sequence: int, idle_s: float
    ) -> AsyncGenerator[LogEntry | Idle, None]:
        """See `Jobs.watch`. First the log, then what is new; back to the log when too slow."""
        with self._hub.subscribe(job_id) as live:
            state, last = await self._store.head(job_id)
            _check_position(after_sequence, last)
            position = after_sequence
            if state.is_terminal and position == last:
                return
            fresh: Sequence[LogEntry] = ()
            if position < last:
                fresh = await self._replay(job_id, position)
            while True:
                for entry in fresh:
                    if entry.sequence <= position:
                        continue
                    position = entry.sequence
                    yield entry
                    # A job that was reopened has more behind an end.
                    if is_terminal(entry.event) and entry.sequence >= last:
                        return
                if len(fresh) == _REPLAY:
                    fresh = await self._replay(job_id, position)
                    continue
                self.refuse_when_draining()
                fresh = await live.take(idle_s)
                if live.lagging or (fresh and fresh[0].sequence > position + 1):
                    live.lagging = False
                    fresh = await self._replay(job_id, position)
                elif not fresh and not self.is_draining:
                    state, last = await self._store.head(job_id)
                    if last == position:
                        yield Idle(job_id=job_id, at=datetime.now(UTC), state=state)
                    else:  # Nobody told us.
                        live.lagging = True
                        live.wake()

    async def _replay(self, job_id: str, position: int) -> tuple[LogEntry, ...]:
        return await self._store.entries(job_id, after=position, limit=_REPLAY)


def _check_position(after_sequence: int, last: int) -> None:
    if after_sequence > last:
        raise PositionOutOfRange(
            f"after_sequence {after_sequence} lies in the future; the log ends at {last}.",
            after_sequence=str(after_sequence),
            last_sequence=str(last),
        )
