"""Jobs behind the port: accepted into rows, worked on phase by phase, on whichever node is free."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy.exc import DBAPIError

from server.errors import (
    AssetwrightError,
    InternalError,
    InvalidRequest,
    JobAlreadyTerminal,
    JobNotFound,
    QueueFull,
    Violation,
)
from server.jobs.decisions import Decisions
from server.jobs.durable import step
from server.jobs.events import Accepted, Cancelled, Completed, Failed, Idle, LogEntry
from server.jobs.intake import attach, fingerprint_of, new_job, request_id_problems
from server.jobs.keeper import Keeper
from server.jobs.ledger import Source, Witness
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
    Superseded,
)
from server.jobs.port import Submitted
from server.jobs.receipts import receipt
from server.jobs.run import CancelRequested, JobRun
from server.jobs.store import Budget, JobQuery, Page
from server.jobs.watching import LogReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from server.jobs.admission import Admission
    from server.jobs.durable import Runtime
    from server.jobs.events import Estimate
    from server.jobs.hub import Hub
    from server.jobs.model import Spec
    from server.jobs.nodes import Nodes
    from server.jobs.steps import Steps
    from server.jobs.store import Store

__all__ = ["DurableJobs"]

_log = structlog.get_logger()


class DurableJobs:
    """Fulfils `server.jobs.port.Jobs`: our own rows and logs, driven by `server.jobs.durable`."""

    def __init__(  # noqa: PLR0913 - everything that jobs need meets here.
        self,
        *,
        store: Store,
        hub: Hub,
        admission: Admission,
        steps: Steps,
        runtime: Runtime,
        nodes: Nodes,
        sandbox: bool,
        max_unfinished: int,
        daily_budget_micros: int | None = None,
    ) -> None:
        """Put the engine together; `start` begins to work.

        Args:
            store: The rows.
            hub: Who watches in this process.
            admission: What is refused.
            steps: What is done.
            runtime: Who does what, and when.
            nodes: Who else is there.
            sandbox: Whether the built-in gateway answers.
            max_unfinished: Jobs that may wait or run, on all nodes together.
            daily_budget_micros: What a day's jobs may cost, in millionths of a dollar.
        """
        self._store = store
        self._hub = hub
        self._admission = admission
        self._steps = steps
        self._runtime = runtime
        self._nodes = nodes
        self._sandbox = sandbox
        self._max_unfinished = max_unfinished
        self._daily_budget_micros = daily_budget_micros
        self._reader = LogReader(store=store, hub=hub)
        self._decisions = Decisions(store.database)
        self._runs: dict[str, JobRun] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._keeper = Keeper(
            store=store,
            runtime=runtime,
            nodes=nodes,
            lease_s=nodes.lease_s,
            serves=lambda head: admission.serves(head.job, sandbox=sandbox),
            has=self._runs.__contains__,
            cancel=self._cancel_here,
        )

    async def start(self) -> int:
        """Take up every job that nobody works on; return how many have not ended."""
        await self._runtime.start(self._work)
        return await self._keeper.start()

    @property
    def is_draining(self) -> bool:
        """Whether nothing more is accepted."""
        return self._reader.is_draining

    def drain(self) -> None:
        """Accept nothing more, and end the streams so that their clients resume later."""
        self._reader.drain()

    async def stop(self, timeout_s: float) -> None:
        """Put every job down where it is; the next start, or another node, takes it up.

        A paid request that is on its way is waited for, at most `timeout_s` seconds.
        """
        self.drain()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
        await self._keeper.stop()
        await self._runtime.stop()
        await self._keeper.leave()

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
        quote = await self._admission.check_generate(spec)
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
        await self._admission.check_disk()
        return await self._accept(spec, request_id=request_id, kind=JobKind.PROCESS, quote=None)

    def watch(
        self, job_id: str, *, after_sequence: int, idle_s: float
    ) -> AsyncGenerator[LogEntry | Idle, None]:
        """See `Jobs.watch`."""
        return self._reader.watch(job_id, after_sequence=after_sequence, idle_s=idle_s)

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
        try:
            await self._store.request_cancel(job_id, after_submission)
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
            await self._end_if_idle(job_id)
        return await self._store.job(job_id)

    async def _end_if_idle(self, job_id: str) -> None:
        """Cancel a job that nobody works on; whoever works on it has heard of the cancel."""
        head = await self._store.head_of(job_id)
        elsewhere = await self._nodes.alive() - {self._store.node}
        if head.node in elsewhere:
            return
        taken = await self._store.take(job_id)
        if taken is None:
            return
        run = JobRun(taken.job, store=self._store, hub=self._hub, fence=taken.fence)
        cancelled = Cancelled(assets=run.job.assets, receipt=self._receipt(run))
        with contextlib.suppress(Superseded):  # It has just begun, and knows of the cancel.
            await self._end(run, cancelled, JobState.CANCELLED)

    async def delete(self, job_id: str) -> None:
        """See `Jobs.delete`."""
        await self._decisions.delete(job_id)
        _log.info("job_deleted", job_id=job_id)

    async def resolve(self, job_id: str, *, adopt: str | None) -> Job:
        """See `Jobs.resolve`."""
        self._reader.refuse_when_draining()
        job, life = await self._decisions.reopen(job_id, adopt=adopt)
        _log.info("job_reopened", job_id=job_id, adopted=adopt is not None)
        await asyncio.shield(asyncio.ensure_future(self._runtime.enqueue(job, life=life)))
        return await self._store.job(job_id)

    async def poke(self, job_id: str, *, gateway_request_id: str | None = None) -> None:
        """See `Jobs.poke`."""
        if gateway_request_id is not None:
            await self._note_callback(job_id, gateway_request_id)
        if (run := self._runs.get(job_id)) is not None:
            run.poke()
        else:
            await self._store.tell_poke(job_id)

    async def _note_callback(self, job_id: str, gateway_request_id: str) -> None:
        """Keep what a callback names if nothing else says what became of a paid request."""
        with contextlib.suppress(JobNotFound):
            job = await self._store.job(job_id)
            named = {one.gateway_request_id for one in job.purchases}
            doubt = next((one for one in job.purchases if one.is_in_doubt), None)
            if doubt is not None and doubt.intent and gateway_request_id not in named:
                witness = Witness(source=Source.CALLBACK, gateway_request_id=gateway_request_id)
                await self._store.witness(job_id, intent=doubt.intent, witness=witness)

    def heard_log(self, job_id: str) -> None:
        """See `server.jobs.signals.Hearer`."""
        self._hub.look(job_id)

    def heard_poke(self, job_id: str) -> None:
        """See `server.jobs.signals.Hearer`."""
        if (run := self._runs.get(job_id)) is not None:
            run.poke()

    def heard_cancel(self, job_id: str, after_submission: str) -> None:
        """See `server.jobs.signals.Hearer`."""
        self._cancel_here(job_id, AfterSubmission(after_submission))

    def _cancel_here(self, job_id: str, after_submission: AfterSubmission) -> None:
        run = self._runs.get(job_id)
        if run is not None and run.cancelling is not after_submission:
            run.request_cancel(after_submission)

    def heard_anything(self) -> None:
        """See `server.jobs.signals.Hearer`."""
        self._hub.look_all()

    async def _known(self, spec: Spec, request_id: str | None) -> Submitted | None:
        """Attach to the job that has this request_id, before anything is checked again."""
        if request_id is None:
            return None
        found = await self._store.by_request_id(request_id)
        return None if found is None else attach(*found, spec)

    async def _accept(
        self, spec: Spec, *, request_id: str | None, kind: JobKind, quote: Quote | None
    ) -> Submitted:
        self._reader.refuse_when_draining()
        unfinished = await self._store.unfinished_count()
        if unfinished >= self._max_unfinished:
            raise QueueFull(
                f"{unfinished} jobs wait or run; more are not accepted now.", retry_after_s="10"
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
        # Also when the caller is gone by now; the keeper finds it if this process ends here.
        await asyncio.shield(asyncio.ensure_future(self._runtime.enqueue(stored)))
        return Submitted(job_id=job.id, attached=False)

    async def _work(self, job_id: str) -> None:
        """Work on a job, until it has ended or is put down."""
        task = asyncio.current_task()
        if task is None or self.is_draining:
            raise asyncio.CancelledError
        self._tasks.add(task)
        try:
            run = await self._take(job_id)
            if run is not None:
                await self._live(run)
        except (ConnectionError, DBAPIError) as exc:
            # What is stored holds; the keeper gives the job to somebody later.
            _log.exception("job_put_down", job_id=job_id, error=type(exc).__name__)
            raise asyncio.CancelledError from exc
        finally:
            self._tasks.discard(task)

    async def _take(self, job_id: str) -> JobRun | None:
        taken = await self._store.take(job_id)
        if taken is None:
            return None
        if not self._admission.serves(taken.job, sandbox=self._sandbox):
            _log.warning("job_set_aside", job_id=job_id)
            await self._store.put_down(job_id, taken.fence)
            return None
        log = await self._store.log(job_id) if taken.job.last_sequence > 1 else ()
        return JobRun(taken.job, store=self._store, hub=self._hub, fence=taken.fence, log=log)

    async def _live(self, run: JobRun) -> None:
        job_id = run.job.id
        self._runs[job_id] = run
        try:
            for phase in self._steps.phases(run):
                if not await step(phase.name, partial(self._do, run, phase.work)):
                    return
            await step("finish", partial(self._do, run, partial(self._complete, run)))
        finally:
            if self._runs.get(job_id) is run:
                del self._runs[job_id]

    async def _do(self, run: JobRun, work: Callable[[], Awaitable[None]]) -> bool:
        """Do a phase; tell whether the job goes on. The one place where any exception is caught.

        Nothing but a cancel leaves it, for the engine would keep it as the phase's result.
        """
        try:
            return await self._attempt(run, work)
        except Superseded as exc:
            _log.info("job_superseded", job_id=run.job.id)
            raise asyncio.CancelledError from exc
        except Exception as exc:
            _log.exception("job_put_down", job_id=run.job.id, error=type(exc).__name__)
            raise asyncio.CancelledError from exc

    async def _attempt(self, run: JobRun, work: Callable[[], Awaitable[None]]) -> bool:
        """Do a phase, or end the job with what came of it."""
        try:
            run.check_cancel()
            await work()
        except CancelRequested:
            cancelled = Cancelled(assets=run.job.assets, receipt=self._receipt(run))
            await self._end(run, cancelled, JobState.CANCELLED)
        except AssetwrightError as exc:
            await self._fail(run, exc)
        except (Superseded, DBAPIError, ConnectionError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the job must not hang.
            await self._fail(run, _bug(run.job.id))
        else:
            return True
        return False

    async def _complete(self, run: JobRun) -> None:
        completed = Completed(
            assets=run.job.assets,
            receipt=self._receipt(run),
            report=run.job.report,
            timings=tuple(run.timings),
        )
        await self._end(run, completed, JobState.COMPLETED)

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
    ) -> None:
        await run.record(event, state=state, receipt=_json(event.receipt), error=error, node=None)

    def _receipt(self, run: JobRun) -> Receipt:
        return receipt(run.job, cancelled=run.cancelling is not None)

    def _budget(self, job: Job) -> Budget | None:
        """Return what today's jobs may cost; the sandbox's cost nothing."""
        if self._daily_budget_micros is None or job.sandbox:
            return None
        midnight = job.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return Budget(limit_micros=self._daily_budget_micros, since=midnight)


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _bug(job_id: str) -> InternalError:
    error_id = secrets.token_hex(6)
    _log.error("job_bug", job_id=job_id, error_id=error_id, trace=traceback.format_exc())
    return InternalError(f"The server made a mistake (id {error_id}).", error_id=error_id)
