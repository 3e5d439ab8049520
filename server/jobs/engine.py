"""The jobs of one process: each a task, its log in the database, resumed after a restart."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from server.errors import (
    AssetwrightError,
    Draining,
    InternalError,
    InvalidRequest,
    JobAlreadyTerminal,
    PositionOutOfRange,
    QueueFull,
    Violation,
)
from server.jobs.events import (
    Accepted,
    Cancelled,
    Completed,
    Failed,
    Idle,
    LogEntry,
    Notice,
    is_terminal,
)
from server.jobs.intake import attach, fingerprint_of, new_job, request_id_problems
from server.jobs.model import (
    AfterSubmission,
    GenerateSpec,
    IllegalTransition,
    Job,
    JobFailure,
    JobKind,
    JobState,
    ProcessSpec,
    Quote,
    Receipt,
)
from server.jobs.port import Submitted
from server.jobs.receipts import receipt
from server.jobs.run import CancelRequested, JobRun
from server.jobs.slots import running_slot
from server.jobs.store import Budget, Change, JobQuery, Page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from server.jobs.admission import Admission
    from server.jobs.events import Estimate
    from server.jobs.hub import Hub
    from server.jobs.model import Spec
    from server.jobs.steps import Steps
    from server.jobs.store import Store

__all__ = ["LocalJobs"]

_log = structlog.get_logger()

_REPLAY = 200  # Entries read from the log at once.
_DRAIN_RETRY_S = "2"
_SANDBOX_NOTICE = (
    "This is a result of the built-in sandbox, made without a model and without cost. "
    "Set a provider's key to buy real generations."
)


class LocalJobs:
    """Fulfils `server.jobs.port.Jobs` in one process."""

    def __init__(
        self,
        *,
        store: Store,
        hub: Hub,
        admission: Admission,
        steps: Steps,
        sandbox: bool,
        max_running: int,
        max_queued: int,
        daily_budget_micros: int | None = None,
    ) -> None:
        self._store = store
        self._hub = hub
        self._admission = admission
        self._steps = steps
        self._sandbox = sandbox
        self._daily_budget_micros = daily_budget_micros
        self._slots = asyncio.Semaphore(max_running)
        self._limit = max_running + max_queued
        self._runs: dict[str, JobRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = asyncio.Event()

    async def start(self) -> int:
        """Take up every job that has not ended; return how many.

        A job whose gateway is not there today, say because its key is not set or the sandbox
        answers, is left as it is: another gateway would not know it, and it may be paid for.
        """
        unfinished = await self._store.unfinished()
        mine = [job for job in unfinished if self._admission.serves(job, sandbox=self._sandbox)]
        for job in mine:
            self._begin(job)
        if len(mine) < len(unfinished):
            _log.warning("jobs_set_aside", count=len(unfinished) - len(mine))
        return len(mine)

    @property
    def is_draining(self) -> bool:
        """Whether nothing more is accepted."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Accept nothing more, and end the streams so that their clients resume later."""
        self._draining.set()
        self._hub.wake()

    async def stop(self, timeout_s: float) -> None:
        """Put every job down where it is; the next start takes it up.

        A paid request that is on its way is waited for, at most `timeout_s` seconds.
        """
        self.drain()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    async def generate(
        self, spec: GenerateSpec, *, request_id: str | None, problems: Sequence[Violation] = ()
    ) -> Submitted:
        """See `Jobs.generate`."""
        problems = [*problems, *request_id_problems(request_id)]
        if not problems and (known := await self._known(spec, request_id)):
            return known
        problems += await self._admission.generate_violations(spec)
        if problems:
            raise InvalidRequest(*problems)
        quote = self._admission.check_generate(spec)
        return await self._accept(spec, request_id=request_id, kind=JobKind.GENERATE, quote=quote)

    async def process(
        self, spec: ProcessSpec, *, request_id: str | None, problems: Sequence[Violation] = ()
    ) -> Submitted:
        """See `Jobs.process`."""
        problems = [*problems, *request_id_problems(request_id)]
        if not problems and (known := await self._known(spec, request_id)):
            return known
        problems += await self._admission.process_violations(spec)
        if problems:
            raise InvalidRequest(*problems)
        self._admission.check_disk()
        return await self._accept(spec, request_id=request_id, kind=JobKind.PROCESS, quote=None)

    async def watch(
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
                    if is_terminal(entry.event):
                        return
                if len(fresh) == _REPLAY:
                    fresh = await self._replay(job_id, position)
                    continue
                self._refuse_when_draining()
                fresh = await live.take(idle_s)
                if live.lagging or (fresh and fresh[0].sequence > position + 1):
                    live.lagging = False
                    fresh = await self._replay(job_id, position)
                elif not fresh and not self._draining.is_set():
                    state, _ = await self._store.head(job_id)
                    yield Idle(job_id=job_id, at=datetime.now(UTC), state=state)

    async def job(self, job_id: str) -> Job:
        """See `Jobs.job`."""
        return await self._store.job(job_id)

    async def jobs(self, query: JobQuery) -> Page[Job]:
        """See `Jobs.jobs`."""
        return await self._store.jobs(query)

    async def estimate(self, model_id: str) -> Estimate | None:
        """See `Jobs.estimate`."""
        return await self._store.estimate(model_id, sandbox=self._sandbox)

    async def cancel(self, job_id: str, after_submission: AfterSubmission) -> Job:
        """See `Jobs.cancel`."""
        job = await self._store.job(job_id)
        if job.state is JobState.CANCELLED:
            return job
        change = Change(values={"cancel": after_submission.value})
        try:
            await self._store.apply(job_id, change)
        except IllegalTransition as exc:
            if exc.current is JobState.CANCELLED:
                return await self._store.job(job_id)
            raise JobAlreadyTerminal(
                f"Job {job_id} has {exc.current.value} already.",
                job_id=job_id,
                state=exc.current.value,
            ) from exc
        _log.info("job_cancel_requested", job_id=job_id, after_submission=after_submission.value)
        if (run := self._runs.get(job_id)) is not None:
            run.request_cancel(after_submission)
        else:
            await self._end_set_aside(await self._store.job(job_id))
        return await self._store.job(job_id)

    async def _end_set_aside(self, job: Job) -> None:
        """Cancel a job that nobody works on."""
        if not job.state.is_terminal:
            run = JobRun(job, store=self._store, hub=self._hub)
            cancelled = Cancelled(assets=job.assets, receipt=self._receipt(run))
            await self._end(run, cancelled, JobState.CANCELLED)

    def poke(self, job_id: str) -> None:
        """See `Jobs.poke`."""
        if (run := self._runs.get(job_id)) is not None:
            run.poke()

    async def _replay(self, job_id: str, position: int) -> tuple[LogEntry, ...]:
        return await self._store.entries(job_id, after=position, limit=_REPLAY)

    async def _known(self, spec: Spec, request_id: str | None) -> Submitted | None:
        """Attach to the job that has this request_id, before anything is checked again."""
        if request_id is None:
            return None
        found = await self._store.by_request_id(request_id)
        return None if found is None else attach(*found, spec)

    async def _accept(
        self, spec: Spec, *, request_id: str | None, kind: JobKind, quote: Quote | None
    ) -> Submitted:
        self._refuse_when_draining()
        if len(self._tasks) >= self._limit:
            raise QueueFull(
                f"{len(self._tasks)} jobs wait or run; more are not accepted now.",
                retry_after_s="10",
            )
        job = new_job(spec, request_id=request_id, kind=kind, sandbox=self._sandbox)
        accepted = Accepted(
            request_id=job.request_id,
            plan=self._steps.plan(spec),
            sandbox=job.sandbox,
            max_price=None if quote is None else quote.high,
        )
        stored, fingerprint = await self._store.add(
            job,
            fingerprint=fingerprint_of(spec),
            accepted=accepted,
            max_price_micros=quote.high.amount_micros if quote and quote.high else 0,
            budget=self._budget(job),
        )
        if stored.id != job.id:  # Somebody was quicker with the same request_id.
            return attach(stored, fingerprint, spec)
        _log.info("job_accepted", job_id=job.id, kind=kind.value, model=job.model)
        self._begin(stored)
        return Submitted(job_id=job.id, attached=False)

    def _refuse_when_draining(self) -> None:
        if self._draining.is_set():
            raise Draining("The server is shutting down.", retry_after_s=_DRAIN_RETRY_S)

    def _begin(self, job: Job) -> None:
        run = JobRun(job, store=self._store, hub=self._hub)
        self._runs[job.id] = run
        task = asyncio.create_task(self._work(run), name=f"job {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda done: self._forget(job.id, done))

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[job_id], self._runs[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its end could not be stored; the next start takes the job up again.
            _log.error("job_put_down", job_id=job_id, error=type(error).__name__)

    async def _work(self, run: JobRun) -> None:
        """Work on a job to its end. The one place where any exception is caught."""
        try:
            async with running_slot(self._slots, run):
                if run.job.sandbox and not run.resumed:
                    await run.record(Notice(code="SANDBOX_RESULT", message=_SANDBOX_NOTICE))
                report = await self._steps.run(run)
                completed = Completed(
                    assets=run.job.assets,
                    receipt=self._receipt(run),
                    report=report,
                    timings=tuple(run.timings),
                )
                await self._end(
                    run,
                    completed,
                    JobState.COMPLETED,
                    report=None if report is None else _json(report),
                )
        except CancelRequested:
            cancelled = Cancelled(assets=run.job.assets, receipt=self._receipt(run))
            await self._end(run, cancelled, JobState.CANCELLED)
        except AssetwrightError as exc:
            await self._fail(run, exc)
        except Exception:  # noqa: BLE001 - whatever it is, the job must not hang.
            await self._fail(run, _bug(run.job.id))

    async def _fail(self, run: JobRun, error: AssetwrightError) -> None:
        failure = JobFailure(
            reason=error.reason,
            message=str(error),
            remedy=error.remedy,
            retryable=error.retryable,
            charge=run.charge,
            metadata=error.metadata,
        )
        _log.warning("job_failed", job_id=run.job.id, reason=error.reason)
        failed = Failed(error=failure, receipt=self._receipt(run), assets=run.job.assets)
        await self._end(run, failed, JobState.FAILED, error=_json(failure))

    async def _end(
        self,
        run: JobRun,
        event: Completed | Failed | Cancelled,
        state: JobState,
        *,
        error: bytes | None = None,
        report: bytes | None = None,
    ) -> None:
        receipt = _json(event.receipt)
        await run.record(event, state=state, receipt=receipt, error=error, report=report)

    def _receipt(self, run: JobRun) -> Receipt:
        return receipt(run.job, cancelled=run.cancelling is not None)

    def _budget(self, job: Job) -> Budget | None:
        """Return what today's jobs may cost; the sandbox's cost nothing."""
        if self._daily_budget_micros is None or job.sandbox:
            return None
        midnight = job.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return Budget(limit_micros=self._daily_budget_micros, since=midnight)


def _check_position(after_sequence: int, last: int) -> None:
    if after_sequence > last:
        raise PositionOutOfRange(
            f"after_sequence {after_sequence} lies in the future; the log ends at {last}.",
            after_sequence=str(after_sequence),
            last_sequence=str(last),
        )


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _bug(job_id: str) -> InternalError:
    error_id = secrets.token_hex(6)
    _log.error("job_bug", job_id=job_id, error_id=error_id, trace=traceback.format_exc())
    return InternalError(f"The server made a mistake (id {error_id}).", error_id=error_id)
