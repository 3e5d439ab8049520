"""One job while it is being worked on: its state, its log, and whether to go on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from server.jobs.events import (
    AssetReady,
    Event,
    IntermediateImageReady,
    StageFinished,
    StageProgress,
    StageStarted,
)
from server.jobs.model import (
    MOVES,
    AfterSubmission,
    Asset,
    AssetRole,
    Charge,
    Job,
    JobState,
    Purchase,
    PurchaseKind,
    Stage,
)
from server.jobs.store import Change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from asset_processing import Report
    from server.jobs.events import LogEntry
    from server.jobs.hub import Hub
    from server.jobs.ledger import Witness
    from server.jobs.store import Store

__all__ = ["CancelRequested", "JobRun"]

_log = structlog.get_logger()

_MIN_PROGRESS_S = 0.25
_MIN_PAUSE_S = 1.0  # However often somebody pokes.
_BOUGHT = {
    PurchaseKind.IMAGE: (AssetRole.INTERMEDIATE_IMAGE,),
    PurchaseKind.RESULT: (AssetRole.SOURCE, AssetRole.IMAGE, AssetRole.FILE),
}
_PROGRESS_STEP = 0.05  # At most twenty entries a stage, as the contract says.


class CancelRequested(Exception):
    """The job shall stop here."""


class JobRun:
    """Moves a job, and stores each move before anyone hears of it."""

    def __init__(
        self,
        job: Job,
        *,
        store: Store,
        hub: Hub,
        fence: int | None = None,
        log: Sequence[LogEntry] = (),
    ) -> None:
        """Work on a job.

        Args:
            job: As it is stored.
            store: Where it is stored.
            hub: Who is told.
            fence: From `Store.take`; None where nobody can take the job from this run.
            log: What other runs of it have done.
        """
        self.job = job
        self.timings = [one.event for one in log if isinstance(one.event, StageFinished)]
        self.began = {one.event.stage: one.at for one in log if isinstance(one.event, StageStarted)}
        self.resumed = job.last_sequence > 1  # It has been worked on before, by another run.
        self.fence = fence
        self._store = store
        self._hub = hub
        self._stop = asyncio.Event()
        self._news = asyncio.Event()
        if job.cancel is not None:
            self.request_cancel(job.cancel)

    @property
    def cancelling(self) -> AfterSubmission | None:
        """What a caller who cancelled wants done."""
        return self.job.cancel

    def request_cancel(self, after_submission: AfterSubmission) -> None:
        """Make the job stop at the next place where it can; ends a pause at once."""
        self.job = msgspec.structs.replace(self.job, cancel=after_submission)
        if after_submission is AfterSubmission.DISCARD or not self._owed:
            self._stop.set()
            self._news.set()

    @property
    def is_stopped(self) -> bool:
        """Whether the job shall stop."""
        return self._stop.is_set()

    @property
    def charge(self) -> Charge:
        """What is known of the job's cost, over all it bought."""
        charges = {purchase.charge for purchase in self.job.purchases}
        return next(
            (one for one in (Charge.UNKNOWN, Charge.CHARGED) if one in charges), Charge.NOT_CHARGED
        )

    @property
    def _owed(self) -> bool:
        """Whether something is paid for and not collected yet."""
        return any(
            purchase.submitting_since is not None and not self.collected(purchase.kind)
            for purchase in self.job.purchases
        )

    def collected(self, kind: PurchaseKind) -> tuple[Asset, ...]:
        """Return what a purchase brought, once all of it is stored; nothing before."""
        purchase = self.job.purchase(kind)
        if purchase is None or purchase.outcome is None:
            return ()
        found = tuple(asset for asset in self.job.assets if asset.role in _BOUGHT[kind])
        return found if len(found) == purchase.outcome.count else ()

    def poke(self) -> None:
        """End a pause: somebody says that there is news."""
        self._news.set()

    async def stopped(self) -> None:
        """Wait until the job shall stop."""
        await self._stop.wait()

    def check_cancel(self) -> None:
        """Stop here if that is wanted.

        Raises:
            CancelRequested: It is.
        """
        if self._stop.is_set() or (self.job.cancel is not None and not self._owed):
            raise CancelRequested

    async def pause(self, seconds: float) -> None:
        """Wait; a poke ends it, though not at once, so that a flood of them does no harm.

        Raises:
            CancelRequested: The job shall stop.
        """
        deadline = time.monotonic() + seconds
        await self._sleep(self._stop, min(seconds, _MIN_PAUSE_S))
        if not self._stop.is_set():
            await self._sleep(self._news, deadline - time.monotonic())
        self._news.clear()
        self.check_cancel()

    async def _sleep(self, until: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await until.wait()

    async def record(
        self,
        *events: Event,
        state: JobState | None = None,
        assets: tuple[Asset, ...] = (),
        purchase: Purchase | None = None,
        witness: Witness | None = None,
        **values: object,
    ) -> None:
        """Store what happened, then tell of it. `values` are columns of the job's row.

        Raises:
            Superseded: Another run has the job; only the witness was kept.
        """
        change = Change(
            events=events,
            state=state,
            assets=assets,
            purchase=purchase,
            values=values,
            witness=witness,
        )
        entries = await self._store.apply(self.job.id, change, fence=self.fence)
        if state is not None and state is not self.job.state:
            _log.info("job_moved", job_id=self.job.id, state=state.value)
        others = tuple(
            one for one in self.job.purchases if purchase is None or one.kind is not purchase.kind
        )
        self.job = msgspec.structs.replace(
            self.job,
            state=state or self.job.state,
            assets=(*self.job.assets, *assets),
            purchases=others if purchase is None else (*others, purchase),
        )
        self._hub.publish(entries)

    async def add_asset(self, asset: Asset) -> None:
        """Store what an asset is, and announce it."""
        intermediate = asset.role is AssetRole.INTERMEDIATE_IMAGE
        event = IntermediateImageReady(asset=asset) if intermediate else AssetReady(asset=asset)
        await self.record(event, assets=(asset,))

    async def keep_report(self, report: Report) -> None:
        """Store a mesh's measured report."""
        await self.record(report=msgspec.json.encode(report))
        self.job = msgspec.structs.replace(self.job, report=report)

    async def enter(self, state: JobState, *events: Event) -> None:
        """Move on, unless the job is further already, as one that resumes may be."""
        forward = state in MOVES[self.job.state]
        if forward or events:
            await self.record(*events, state=state if forward else None)

    @contextlib.asynccontextmanager
    async def stage(
        self, stage: Stage | None, state: JobState, *, since: datetime | None = None
    ) -> AsyncIterator[None]:
        """Go through a stage: announce its begin and its good end, with the time it took.

        None goes through it without a word.

        `since` is when it really began, for what goes on elsewhere while this server restarts.

        """
        await self.begin_stage(stage, state)
        earlier_s = (datetime.now(UTC) - since).total_seconds() if since is not None else 0.0
        began = time.monotonic()
        yield
        if stage is not None:
            await self._finish_stage(stage, earlier_s + time.monotonic() - began)

    async def begin_stage(self, stage: Stage | None, state: JobState) -> None:
        """Announce a stage's begin."""
        if stage is None:
            await self.enter(state)
        else:
            self.began[stage] = datetime.now(UTC)
            await self.enter(state, StageStarted(stage=stage))

    async def end_stage(self, stage: Stage) -> None:
        """Announce the good end of a stage that may have begun in another run."""
        began = self.began.get(stage, datetime.now(UTC))
        await self._finish_stage(stage, (datetime.now(UTC) - began).total_seconds())

    async def _finish_stage(self, stage: Stage, duration_s: float) -> None:
        finished = StageFinished(stage=stage, duration_s=duration_s)
        self.timings.append(finished)
        await self.record(finished)

    @contextlib.contextmanager
    def progress(self, stage: Stage | None) -> Iterator[ProgressReporter]:
        """Report measured progress; what is still waiting at the end is dropped."""
        reporter = ProgressReporter(self, stage)
        try:
            yield reporter
        finally:
            reporter.close()


class ProgressReporter:
    """Turns many measurements into few entries. Progress overwrites progress."""

    def __init__(self, run: JobRun, stage: Stage | None) -> None:
        self._run = run
        self._stage = stage
        self._told_at = time.monotonic()
        self._told = 0.0
        self._telling: asyncio.Task[None] | None = None

    def bytes_done(self, done: int, total: int | None) -> None:
        """Take a measurement; tells of it if it is news."""
        if not total or self._stage is None:
            return
        fraction = min(done / total, 1.0)
        soon = time.monotonic() - self._told_at < _MIN_PROGRESS_S
        if soon or fraction - self._told < _PROGRESS_STEP:
            return
        if self._telling is not None and not self._telling.done():
            return
        self._told, self._told_at = fraction, time.monotonic()
        event = StageProgress(
            stage=self._stage, fraction=fraction, done_bytes=done, total_bytes=total
        )
        self._telling = asyncio.create_task(
            self._run.record(event), name=f"progress {self._run.job.id}"
        )

    async def flush(self) -> None:
        """Wait until what was told is stored."""
        if self._telling is not None:
            await self._telling

    def close(self) -> None:
        """Tell nothing more."""
        if self._telling is not None and not self._telling.done():
            self._telling.cancel()
