"""A log that grows while somebody reads it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from server.jobs.database import Database
from server.jobs.events import Accepted, Cancelled, LogEntry, Notice
from server.jobs.hub import Hub
from server.jobs.model import (
    Charge,
    GenerateSpec,
    Job,
    JobKind,
    JobState,
    PriceSource,
    Receipt,
)
from server.jobs.store import Change, Store
from server.jobs.watching import LogReader

if TYPE_CHECKING:
    from pathlib import Path

_END = Cancelled(receipt=Receipt(charge=Charge.NOT_CHARGED, source=PriceSource.FREE))


async def watched(folder: Path, bursts: list[int], start: int) -> None:
    """Append bursts of entries while a reader follows from `start`; check what the reader saw."""
    database = Database(folder / "jobs.sqlite3")
    store, hub = Store(database), Hub()
    jobs = LogReader(store=store, hub=hub)
    now = datetime.now(UTC)
    job = Job(
        id="job",
        request_id="r",
        kind=JobKind.GENERATE,
        state=JobState.QUEUED,
        spec=GenerateSpec(model="m"),
        created_at=now,
        updated_at=now,
        last_sequence=0,
        sandbox=True,
    )
    accepted = Accepted(request_id="r", plan=(), sandbox=True)
    await store.add(job, fingerprint="f", accepted=accepted)
    total = 1 + sum(bursts) + 1
    start = min(start, 1)

    async def read() -> list[int]:
        log = jobs.watch("job", after_sequence=start, idle_s=30)
        return [item.sequence async for item in log if isinstance(item, LogEntry)]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for burst in bursts:
        notices = tuple(Notice(code=str(n), message="") for n in range(burst))
        hub.publish(await store.apply("job", Change(events=notices)))
    hub.publish(await store.apply("job", Change(events=(_END,), state=JobState.CANCELLED)))
    assert await reading == list(range(start + 1, total + 1))
    assert [entry async for entry in jobs.watch("job", after_sequence=total, idle_s=1)] == []
    database.close()
