"""DBOS Transact: keeps which jobs wait, run and on which node, and hands each to one run at a time.

What a job is and what happened to it is in our own tables; DBOS drives it. A process has one
engine (DBOS is a singleton there), and its runs share the loop that `Runtime.start` is called on.

Facts that the code relies on, from DBOS 3.4: a workflow whose task is cancelled stays PENDING with
its executor; `resume_workflows` puts it back in its queue; the queue's limits hold for all
processes together.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos._serialization import DBOSPortableJSONSerializer
from sqlalchemy import create_engine, event

from server.jobs.model import JobKind
from server.jobs.postgres import sqlalchemy_url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from server.jobs.model import Job

__all__ = ["Known", "Limits", "Runtime", "step"]

_log = structlog.get_logger()

_NAME = "assetwright"
# Raised only when the order of `Steps.phases` changes so that runs begun before cannot go on.
_VERSION = "jobs-1"
_GENERATING = "generating"
_PROCESSING = "processing"
_MAX_THREADS = 16
_MINUTE_S = 60.0
_BUSY_MS = 30_000
_QUEUES = {JobKind.GENERATE: _GENERATING, JobKind.PROCESS: _PROCESSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is done at the same time, and how fast.

    Attributes:
        running: Jobs that one node works on at the same time.
        model_concurrency: Jobs of one model, on all nodes together.
        model_starts_per_minute: The same, begun in any minute; None: no limit.
        poll_s: How often the queues are looked at.
    """

    running: int
    model_concurrency: int
    model_starts_per_minute: int | None
    poll_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the engine knows of a job."""

    id: str  # Of the workflow: the job's, and which of its lives it is.
    queue: str
    node: str
    has_ended: bool

    @property
    def job_id(self) -> str:
        """The job."""
        return self.id.rpartition(".")[0]


class Runtime:
    """The engine of this process."""

    def __init__(self, *, place: Path | str, node: str, limits: Limits) -> None:
        """Prepare an engine.

        Args:
            place: Its file, or the address of the Postgres database.
            node: How this process is called; never twice.
            limits: See there.
        """
        self._place = place
        self._node = node
        self._limits = limits
        self._engine: Engine | None = None
        self._work: Callable[[str], Awaitable[None]] | None = None

    async def start(self, work: Callable[[str], Awaitable[None]]) -> None:
        """Begin to hand out jobs.

        Args:
            work: Does a job, in `step`s; cancelling it puts the job down.

        Raises:
            RuntimeError: This process has an engine already.
        """
        if _Current.runtime is not None:
            raise RuntimeError("A process has one engine; start a second server as another one.")
        self._work = work
        _Current.runtime = self
        _listen_to_dbos()
        config = DBOSConfig(
            name=_NAME,
            application_version=_VERSION,
            executor_id=self._node,
            max_executor_threads=_MAX_THREADS,
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
        )
        if isinstance(self._place, str):
            url = sqlalchemy_url(self._place)
        else:
            self._engine = _sqlite(self._place)
            config["system_database_engine"] = self._engine
            url = f"sqlite:///{self._place}"
        config["system_database_url"] = url
        await asyncio.to_thread(self._make_queues, url)
        DBOS(config=config)
        DBOS.launch()

    def _make_queues(self, url: str) -> None:
        """Have the queues there before the launch, which would look for new ones a second later."""
        DBOS.migrate(url)
        client = DBOSClient(
            system_database_url=url, system_database_engine=self._engine, application_name=_NAME
        )
        starts = self._limits.model_starts_per_minute
        try:
            client.register_queue(
                _GENERATING,
                worker_concurrency=self._limits.running,
                partition_concurrency=self._limits.model_concurrency,
                partition_limiter=(
                    None if starts is None else {"limit": starts, "period": _MINUTE_S}
                ),
                polling_interval_sec=self._limits.poll_s,
            )
            client.register_queue(
                _PROCESSING,
                worker_concurrency=self._limits.running,
                polling_interval_sec=self._limits.poll_s,
            )
        finally:
            client.destroy()

    async def enqueue(self, job: Job, *, life: int = 1) -> None:
        """Let a job be worked on, by whichever node is free first; twice is once."""
        partition = job.model if job.kind is JobKind.GENERATE else None
        with SetWorkflowID(f"{job.id}.{life}"), SetEnqueueOptions(queue_partition_key=partition):
            await DBOS.enqueue_workflow_async(_QUEUES[job.kind], _job, job.id)

    async def pending(self) -> list[Known]:
        """Return the jobs that a node has, dead or alive."""
        found = await DBOS.list_workflows_async(
            status="PENDING", load_input=False, load_output=False
        )
        return [_known(one) for one in found]

    async def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Return what is known of workflows, by their ids."""
        if not ids:
            return {}
        found = await DBOS.list_workflows_async(
            workflow_ids=list(ids), load_input=False, load_output=False
        )
        return {one.workflow_id: _known(one) for one in found}

    async def take_over(self, lost: Iterable[Known]) -> None:
        """Put jobs back in their queues, whose limits hold for them as before."""
        by_queue: dict[str, list[str]] = {}
        for one in lost:
            by_queue.setdefault(one.queue, []).append(one.id)
        for queue, ids in by_queue.items():
            await DBOS.resume_workflows_async(ids, queue_name=queue)

    async def forget(self, ids: Sequence[str]) -> None:
        """Forget workflows that have ended."""
        if ids:
            await DBOS.delete_workflows_async(list(ids))

    async def ended_before(self, moment: str, *, limit: int) -> list[str]:
        """Return workflows that ended before a moment (ISO 8601)."""
        found = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=moment,
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return [one.workflow_id for one in found]

    async def stop(self) -> None:
        """Hand out no more jobs. The tasks of those that run have to be cancelled before."""
        if _Current.runtime is not self:
            return
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def destroy() -> None:
            DBOS.destroy()
            loop.call_soon_threadsafe(ended.set_result, None)

        # Not on the loop, which DBOS's threads wait for, and not in its own pool.
        threading.Thread(target=destroy, name="engine-stop").start()
        await ended
        # DBOS has made its pool, which is closed now, the loop's.
        loop.set_default_executor(ThreadPoolExecutor(_MAX_THREADS))
        _Current.runtime = None
        if self._engine is not None:
            self._engine.dispose()

    async def run(self, job_id: str) -> None:
        """Do a job."""
        if self._work is None:
            raise asyncio.CancelledError
        await self._work(job_id)


async def step(name: str, work: Callable[[], Awaitable[bool]]) -> bool:
    """Do a part of a job, or return what it returned when it was done in an earlier run.

    Only for use in what `Runtime.start` was given. What it raises, but for a cancel, is kept too.
    """

    async def do() -> bool:
        return await work()

    return await DBOS.run_step_async({"name": name}, do)


class _Current:
    """The one engine of this process."""

    runtime: Runtime | None = None


@DBOS.workflow(name="job", max_recovery_attempts=None)
async def _job(job_id: str) -> None:
    runtime = _Current.runtime
    if runtime is None:
        raise asyncio.CancelledError
    await runtime.run(job_id)


def _known(status: Any) -> Known:  # noqa: ANN401 - DBOS's own
    return Known(
        id=status.workflow_id,
        queue=status.queue_name or _PROCESSING,
        node=status.executor_id or "",
        has_ended=status.status not in ("PENDING", "ENQUEUED", "DELAYED"),
    )


def _sqlite(path: Path) -> Engine:
    """Return an engine for DBOS: the driver begins its transactions, immediately."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


class _Forward(logging.Handler):
    """Puts what DBOS logs among our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. A job that is put down is no news: we did it."""
        text = record.getMessage()
        if not text.startswith("Asyncio task cancelled"):
            _log.warning("engine", says=text, level=record.levelname)


def _listen_to_dbos() -> None:
    """Be there before DBOS adds a handler of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(_Forward())
        logger.propagate = False
