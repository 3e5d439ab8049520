"""Sees to it that every job that has not ended is in somebody's hands, or in its queue."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.jobs.durable import Known, Runtime
    from server.jobs.model import AfterSubmission
    from server.jobs.nodes import Nodes
    from server.jobs.store import Head, Store

__all__ = ["Keeper"]

_log = structlog.get_logger()

_BEATS_A_LEASE = 4
_ROUND_BEATS = 40  # A whole look through all jobs.
_AT_ONCE = 500


class Keeper:
    """Takes over what dead nodes had, and begins what nobody has."""

    def __init__(
        self,
        *,
        store: Store,
        runtime: Runtime,
        nodes: Nodes,
        lease_s: float,
        serves: Callable[[Head], bool],
        has: Callable[[str], bool],
        cancel: Callable[[str, AfterSubmission], None],
    ) -> None:
        """Keep jobs.

        Args:
            store: Where they are.
            runtime: Who hands them out.
            nodes: Who is alive.
            lease_s: How long a node may be silent, in seconds.
            serves: Whether this server could work on a job.
            has: Whether this process works on a job, by its id.
            cancel: Tells a job of this process that somebody cancelled it.
        """
        self._store = store
        self._runtime = runtime
        self._nodes = nodes
        self._pause_s = lease_s / _BEATS_A_LEASE
        self._serves = serves
        self._has = has
        self._cancel = cancel
        self._task: asyncio.Task[None] | None = None
        self._suspects: frozenset[str] = frozenset()

    async def start(self) -> int:
        """Look through all jobs, then go on looking; return how many there are to be done.

        A job whose gateway is not there today, say because its key is not set or the sandbox
        answers, is left as it is: another gateway would not know it, and it may be paid for.
        """
        await self._nodes.beat()
        count = await self._look_through()
        self._task = asyncio.create_task(self._keep(), name="keeper")
        return count

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def leave(self) -> None:
        """Let the other nodes take over what this one has put down."""
        with contextlib.suppress(SQLAlchemyError, ConnectionError):
            await self._nodes.leave()

    async def _keep(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(self._pause_s)
            beats += 1
            try:
                await self._nodes.beat()
                await self._take_over()
                await self._pass_cancels_on()
                if beats % _ROUND_BEATS == 0:
                    await self._look_through()
            except Exception as exc:  # noqa: BLE001 - it is tried again; the node must not die of it.
                _log.warning("keeper_failed", error=type(exc).__name__)

    async def _pass_cancels_on(self) -> None:
        """Hear of what was cancelled elsewhere, should the signal have been lost."""
        if self._store.database.is_shared:
            for job_id, after_submission in await self._store.cancelled_here():
                self._cancel(job_id, after_submission)

    async def _take_over(self) -> None:
        """Put back in the queue what a dead node has, or what this one had and has no more."""
        pending = await self._runtime.pending()
        alive = await self._nodes.alive()
        if any(one.node not in alive for one in pending):
            async with self._store.database.alone("keeper") as mine:
                if mine:
                    await self._resume_lost()
        await self._take_back(pending)

    async def _resume_lost(self) -> None:
        alive = await self._nodes.alive()
        await self._resume([one for one in await self._runtime.pending() if one.node not in alive])

    async def _take_back(self, pending: list[Known]) -> None:
        """Resume what the engine thinks that we do; twice seen, so that it does not just begin."""
        here = [
            one for one in pending if one.node == self._store.node and not self._has(one.job_id)
        ]
        again = [one for one in here if one.id in self._suspects]
        self._suspects = frozenset(one.id for one in here)
        await self._resume(again)

    async def _resume(self, lost: list[Known]) -> None:
        if not lost:
            return
        unfinished = {head.job.id: head for head in await self._store.unfinished()}
        served = [
            one for one in lost if one.job_id in unfinished and self._serves(unfinished[one.job_id])
        ]
        await self._runtime.take_over(served)
        # The others have ended, or wait for a server that serves them: they need no place.
        await self._runtime.forget([one.id for one in lost if one not in served])
        if served:
            _log.info("jobs_taken_over", count=len(served))

    async def _look_through(self) -> int:
        """Begin every job that nobody has and that is in no queue; return how many are served."""
        async with self._store.database.alone("keeper") as mine:
            heads = await self._store.unfinished()
            served = [head for head in heads if self._serves(head)]
            if len(served) < len(heads):
                _log.warning("jobs_set_aside", count=len(heads) - len(served))
            if mine:
                await self._resume_lost()
                for start in range(0, len(served), _AT_ONCE):
                    await self._begin(served[start : start + _AT_ONCE])
        return len(served)

    async def _begin(self, heads: list[Head]) -> None:
        known = await self._runtime.known([f"{head.job.id}.{head.life}" for head in heads])
        for head in heads:
            one = known.get(f"{head.job.id}.{head.life}")
            if one is None:
                await self._runtime.enqueue(head.job, life=head.life)
            elif one.has_ended:  # There, but not here: it was set aside.
                life = await self._store.begin_anew(head.job.id, head.life)
                if life is not None:
                    await self._runtime.enqueue(head.job, life=life)
