"""Retention: what has ended long ago goes, and then the bytes that nobody names any more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog
from sqlalchemy import delete, select

from server.errors import AssetwrightError
from server.jobs.decisions import bury, is_used
from server.jobs.model import AssetRole, Outcome
from server.jobs.tables import ASSETS, JOBS, PURCHASES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.jobs.durable import Runtime
    from server.jobs.store import Store
    from server.storage import Blobs

__all__ = ["Retention", "Sweeper", "Swept"]

_log = structlog.get_logger()

_FIRST_S = 60.0
_PAUSE_S = 3600.0
_BATCH = 200
_DAY_S = 86_400.0
# Bytes are stored before a row names them.
_UNNAMED_S = 3600.0
_ENGINE_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept, in days."""

    jobs: float  # After their end; uploads that no job works with, after they came.
    request_ids: float  # After their job was deleted.


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep has removed."""

    jobs: int
    uploads: int
    request_ids: int
    blobs: int


class Sweeper:
    """Removes what is no longer kept, on one node at a time."""

    def __init__(
        self, *, store: Store, runtime: Runtime, blobs: Blobs, retention: Retention
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._blobs = blobs
        self._retention = retention
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sweep from time to time."""
        self._task = asyncio.create_task(self._sweep_on(), name="sweeper")

    async def stop(self) -> None:
        """Sweep no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def sweep(self, *, now: float | None = None) -> Swept | None:
        """Remove what is no longer kept; None when another node does it.

        Args:
            now: The time to go by, in seconds since the epoch; by default the present.
        """
        async with self._store.database.alone("sweeper") as mine:
            if not mine:
                return None
            at = time.time() if now is None else now
            swept = Swept(
                jobs=await self._bury(at - self._retention.jobs * _DAY_S),
                uploads=await self._drop_uploads(at - self._retention.jobs * _DAY_S),
                request_ids=await self._forget(at - self._retention.request_ids * _DAY_S),
                blobs=await self._drop_blobs(datetime.fromtimestamp(at - _UNNAMED_S, UTC)),
            )
            await self._clear_engine(datetime.fromtimestamp(at - _ENGINE_S, UTC))
        return swept

    async def _sweep_on(self) -> None:
        pause_s = _FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _PAUSE_S
            try:
                swept = await self.sweep()
            except AssetwrightError as exc:
                _log.warning("sweep_failed", reason=exc.reason)
            except Exception as exc:  # noqa: BLE001 - it is tried again; the node must not die of it.
                _log.warning("sweep_failed", error=type(exc).__name__)
            else:
                if swept is not None:
                    _log.info("swept", **asdict(swept))

    async def _bury(self, before: float) -> int:
        """Delete jobs that ended before a time."""
        query = (
            select(JOBS.c.id)
            .where(JOBS.c.ended_at < before, JOBS.c.deleted_at.is_(None))
            .limit(_BATCH)
        )

        def work(connection: Connection) -> int:
            ids = list(connection.scalars(query))
            for job_id in ids:
                bury(connection, job_id)
            return len(ids)

        count = 0
        while (done := await self._store.database.write(work)) > 0:
            count += done
        return count

    async def _drop_uploads(self, before: float) -> int:
        """Forget uploads that nobody has worked with."""
        old = delete(ASSETS).where(
            ASSETS.c.role == AssetRole.UPLOAD.value, ASSETS.c.created_at < before, ~is_used()
        )
        return await self._store.database.write(lambda c: c.execute(old).rowcount)

    async def _forget(self, before: float) -> int:
        """Forget request ids whose jobs were deleted before a time."""
        old = delete(JOBS).where(JOBS.c.deleted_at < before)
        return await self._store.database.write(lambda c: c.execute(old).rowcount)

    async def _drop_blobs(self, before: datetime) -> int:
        """Remove bytes that no asset and no purchase names, if they have not come just now."""
        count = 0
        waiting: list[str] = []
        async for one in self._blobs.list():
            if one.stored_at < before:
                waiting.append(one.blob.sha256)
            if len(waiting) == _BATCH:
                count += await self._drop(waiting, before)
                waiting = []
        return count + await self._drop(waiting, before)

    async def _drop(self, hashes: list[str], before: datetime) -> int:
        named = await self._store.database.read(lambda c: _named(c, hashes))
        count = 0
        for sha256 in hashes:
            if sha256 not in named:
                count += await self._blobs.delete(sha256, unless_stored_since=before)
        return count

    async def _clear_engine(self, before: datetime) -> None:
        """Let the engine forget what has ended."""
        moment = before.isoformat()
        while ids := await self._runtime.ended_before(moment, limit=_BATCH):
            await self._runtime.forget(ids)


def _named(connection: Connection, hashes: list[str]) -> set[str]:
    """Return which of these bytes something names."""
    named = set(
        connection.scalars(select(ASSETS.c.sha256).where(ASSETS.c.sha256.in_(hashes)).distinct())
    )
    kept = select(PURCHASES.c.outcome).where(
        PURCHASES.c.outcome.is_not(None),
        PURCHASES.c.job_id == JOBS.c.id,
        JOBS.c.deleted_at.is_(None),
    )
    for body in connection.scalars(kept):
        sha256 = msgspec.json.decode(body, type=Outcome).sha256
        if sha256 is not None:
            named.add(sha256)
    return named
