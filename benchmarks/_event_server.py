"""A server whose jobs do nothing but record one event a second.

Store, hub, servicer and gRPC server are the production's, and each event goes the way a job's
does: `JobRun.record`, which stores it and then tells of it. Two clocks are read on the way:

* when the job recorded the event: the event carries it (as `done_bytes`, the one free integer);
* when its transaction was committed: noted as the writer's connection goes back to the pool. The
  entry's own time lies inside its transaction, so the first commit after it is its own.

`--unstored` skips the store, as the floor: the same streams, told by the hub alone.

    python benchmarks/_event_server.py FOLDER JOBS [--unstored]

Prints its port; answers each line `SECONDS` by feeding for that long.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from _house import listening, open_house
from _names import job_id
from sqlalchemy import event
from sqlalchemy.pool import Pool

from server.jobs.events import Accepted, LogEntry, StageProgress
from server.jobs.model import Job, JobKind, JobState, ProcessSpec, Stage
from server.jobs.run import JobRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from _house import House

    Record = Callable[[int], Awaitable[None]]  # Records an event of the job with this number.

_PERIOD_S = 1.0
_WRITER = "db-write"  # The thread that `server.jobs.database` writes in.


async def add_jobs(house: House, count: int) -> list[Job]:
    """Store that many jobs."""

    async def add(number: int) -> Job:
        now = datetime.now(UTC)
        job = Job(
            id=job_id(number),
            request_id=job_id(number),
            kind=JobKind.PROCESS,
            state=JobState.QUEUED,
            spec=ProcessSpec(asset_id="ast_none"),
            created_at=now,
            updated_at=now,
            last_sequence=0,
            sandbox=True,
        )
        accepted = Accepted(request_id=job.id, plan=(Stage.PROCESS,), sandbox=True)
        stored, _ = await house.store.add(job, fingerprint=job.id, accepted=accepted)
        return stored

    return await asyncio.gather(*map(add, range(count)))


def progress() -> StageProgress:
    """Return an event that says when it was made."""
    return StageProgress(stage=Stage.PROCESS, done_bytes=time.time_ns())


def stored(house: House, jobs: list[Job]) -> Record:
    """Return how a job records an event."""
    runs = [JobRun(job, store=house.store, hub=house.hub) for job in jobs]

    async def record(number: int) -> None:
        await runs[number].record(progress())

    return record


def unstored(house: House, jobs: list[Job]) -> Record:
    """Return how an event is told that nobody stores."""
    sequences = [job.last_sequence for job in jobs]

    async def record(number: int) -> None:
        sequences[number] += 1
        entry = LogEntry(
            job_id=jobs[number].id,
            sequence=sequences[number],
            at=datetime.now(UTC),
            event=progress(),
        )
        house.hub.publish((entry,))

    return record


async def feed(record: Record, jobs: int, seconds: float) -> int:
    """Let each job record one event a second, their beats spread over the second."""
    loop = asyncio.get_running_loop()
    begin = loop.time()

    async def one(number: int) -> int:
        count = 0
        while (due := begin + (number / jobs + count) * _PERIOD_S) < begin + seconds:
            await asyncio.sleep(due - loop.time())
            await record(number)
            count += 1
        return count

    return sum(await asyncio.gather(*map(one, range(jobs))))


def note_commits() -> list[int]:
    """Return a list that grows by the time of every commit of the writer."""
    commits: list[int] = []

    @event.listens_for(Pool, "checkin")
    def note(_connection: object, _record: object) -> None:
        if threading.current_thread().name == _WRITER:
            commits.append(time.time_ns())

    return commits


async def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("jobs", type=int)
    parser.add_argument("--unstored", action="store_true")
    arguments = parser.parse_args()
    commits = note_commits()
    with open_house(arguments.folder) as house:
        jobs = await add_jobs(house, arguments.jobs)
        record = (unstored if arguments.unstored else stored)(house, jobs)
        async with listening(house) as port:
            print(port, flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                commits.clear()
                recorded = await feed(record, len(jobs), float(line))
                print(json.dumps({"recorded": recorded, "commits": commits}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
