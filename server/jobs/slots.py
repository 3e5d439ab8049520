"""A place among the running jobs. A job that waits for one can still be cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from server.jobs.run import CancelRequested

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.jobs.run import JobRun

__all__ = ["running_slot"]


@contextlib.asynccontextmanager
async def running_slot(slots: asyncio.Semaphore, run: JobRun) -> AsyncIterator[None]:
    """Hold a place for as long as the context is open.

    Raises:
        CancelRequested: The job was cancelled before there was one.
    """
    waiting = asyncio.create_task(slots.acquire(), name=f"slot {run.job.id}")
    stopped = asyncio.create_task(run.stopped(), name=f"stop {run.job.id}")
    try:
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if run.is_stopped:
            raise CancelRequested
        yield
    finally:
        stopped.cancel()
        waiting.cancel()
        await asyncio.wait((waiting, stopped))
        if not waiting.cancelled():
            slots.release()
