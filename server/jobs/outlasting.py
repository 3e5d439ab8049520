"""Going on when the place for assets comes back: what is paid for does not end because of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import structlog

from server.errors import DiskFull, StorageUnavailable
from server.jobs.events import Notice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from server.jobs.run import JobRun

__all__ = ["outlast"]

_log = structlog.get_logger()

_PAUSE_S = 5.0

T = TypeVar("T")


async def outlast(run: JobRun, work: Callable[[], Awaitable[T]], *, within_s: float) -> T:
    """Do what stores or reads bytes, again and again while their place is away or full.

    `work` may be done in part before it fails. A warning tells of the first failure.

    Raises:
        StorageUnavailable, DiskFull: For `within_s` seconds nothing else came of it.
        CancelRequested: The job was cancelled meanwhile.
    """
    since: float | None = None
    while True:
        try:
            return await work()
        except (StorageUnavailable, DiskFull) as exc:
            if since is None:
                since = time.monotonic()
                _log.warning("job_waits_for_storage", job_id=run.job.id, reason=exc.reason)
                await run.record(Notice(code=exc.reason, message=str(exc)))
            elif time.monotonic() - since > within_s:
                raise
            await run.pause(exc.retry_after_s or _PAUSE_S)
