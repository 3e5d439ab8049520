"""Do the work in a process of its own, so that the event loop never waits for it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from server.sandbox.work import perform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from server.sandbox.work import Job, Limits, Made

__all__ = ["Worker", "WorkerError"]

_PARENT_POLL_S = 1.0
_DIED = "The worker that made the result ended unexpectedly."
_LOST_ITS_PARENT = 70  # Exit code; nobody is left to read it.


class WorkerError(Exception):
    """The worker died or took too long; the input need not be to blame."""


class Worker:
    """One worker process, started with the first job and stopped by `aclose`."""

    def __init__(self) -> None:
        self._pool: ProcessPool | None = None

    async def perform(
        self, job: Job, inputs: Sequence[bytes], *, limits: Limits, stem: Path, timeout_s: float
    ) -> tuple[Made, ...]:
        """Do a job and write its files beside `stem`, each complete or not at all.

        Raises:
            InputError: An input cannot be used.
            WorkerError: The worker died, ran out of memory, or took too long.
        """
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1,
                initializer=_die_with_parent,
                initargs=[os.getpid()],
                context=multiprocessing.get_context("spawn"),
            )
        try:
            work = self._pool.schedule(
                perform,
                args=[job, tuple(inputs)],
                kwargs={"limits": limits, "stem": stem},
                timeout=timeout_s,
            )
            made: tuple[Made, ...] = await asyncio.wrap_future(work)
        except TimeoutError:
            raise WorkerError(f"The work took longer than {timeout_s:g} s.") from None
        except BrokenProcessPool:  # It died before it took its task; pebble gives up the pool.
            await self.aclose()
            raise WorkerError(_DIED) from None
        except (ProcessExpired, MemoryError):
            raise WorkerError(_DIED) from None
        return made

    async def aclose(self) -> None:
        """End the worker, whatever it is doing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            await asyncio.to_thread(pool.join)


def _die_with_parent(parent: int) -> None:
    """Watch for the parent's end, which a spawned process would otherwise survive."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_S)
        os._exit(_LOST_ITS_PARENT)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
