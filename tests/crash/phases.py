"""Where a kill is aimed: each phase of a job, by what can be observed of it from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetwright.v1 import job_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.crash.jobs import TrackedJob
    from tests.crash.processes import Gateway

__all__ = ["PHASES", "Phase"]

_AIM_S = 180.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase, and how a kill hits it.

    Attributes:
        name: In the table of figures.
        shows: The event of the log after which it has begun; None: what the gateway's record shows.
        fault: What keeps the gateway busy meanwhile, so that the phase lasts.
        wait_s: How long after the event.
    """

    name: str
    shows: Callable[[job_pb2.JobEvent], bool] | None
    fault: Mapping[str, object] | None = None
    wait_s: float = 0.0

    async def prepare(self, gateway: Gateway, jobs: int) -> None:
        """Make the phase last, for so many jobs."""
        await gateway.clear_faults()
        if self.fault is not None:
            await gateway.fault(**self.fault, count=jobs)

    async def reached(self, gateway: Gateway, jobs: Sequence[TrackedJob]) -> TrackedJob:
        """Wait until one of the jobs is in the phase; return it."""
        async with asyncio.timeout(_AIM_S):
            if self.shows is None:
                found = await _recorded(gateway, jobs)
            else:
                found = await _first(jobs, self.shows)
            await asyncio.sleep(self.wait_s)
        return found


async def _first(
    jobs: Sequence[TrackedJob], shows: Callable[[job_pb2.JobEvent], bool]
) -> TrackedJob:
    """Return the first job whose log shows something."""
    waiting = {asyncio.create_task(job.until(shows), name=job.id): job for job in jobs}
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return waiting[done.pop()]


async def _recorded(gateway: Gateway, jobs: Sequence[TrackedJob]) -> TrackedJob:
    """Return the first job that the gateway's record shows."""
    while True:
        seeds = {one["body"].get("seed") for one in await gateway.submissions()}
        for job in jobs:
            if job.seed in seeds:
                return job
        await asyncio.sleep(_LOOK_S)


def _begins(stage: job_pb2.Stage) -> Callable[[job_pb2.JobEvent], bool]:
    return lambda event: event.stage_started.stage == stage


def _ends(stage: job_pb2.Stage) -> Callable[[job_pb2.JobEvent], bool]:
    return lambda event: event.stage_finished.stage == stage


PHASES = (
    Phase(name="before the intent", shows=lambda event: event.HasField("accepted")),
    Phase(
        name="during the POST",
        shows=None,
        fault={"fault": "slow", "on": "submit", "delay_s": 2},
    ),
    Phase(name="after the POST", shows=_ends(job_pb2.STAGE_SUBMIT)),
    Phase(name="polling", shows=lambda event: event.gateway_update.gateway_state == "PROCESSING"),
    Phase(
        name="downloading",
        shows=_begins(job_pb2.STAGE_DOWNLOAD),
        fault={"fault": "slow", "on": "media", "delay_s": 2},
        wait_s=0.3,
    ),
    Phase(name="processing", shows=_begins(job_pb2.STAGE_PROCESS)),
    Phase(name="storing", shows=_begins(job_pb2.STAGE_STORE)),
    Phase(name="finishing", shows=_ends(job_pb2.STAGE_STORE)),
)
