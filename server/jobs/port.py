"""How jobs are reached from above. The engine behind it may change; this does not.

`server.rpc` and `server.web` know these methods and nothing of what fulfils them
(`server.jobs.engine`): one node with a database of its own, or many that share one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from server.errors import Violation
    from server.jobs.events import Estimate, Idle, LogEntry
    from server.jobs.model import AfterSubmission, GenerateSpec, Job, ProcessSpec
    from server.jobs.store import JobQuery, Page

__all__ = ["Jobs", "Submitted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A job that is on disk."""

    job_id: str
    attached: bool  # It was there before this call.


class Jobs(Protocol):
    """Submit, watch, cancel, look."""

    async def generate(
        self, spec: GenerateSpec, *, request_id: str | None, problems: Sequence[Violation] = ()
    ) -> Submitted:
        """Store a job that buys a generation, or attach to the one with this request_id.

        Args:
            spec: What to generate.
            request_id: The caller's idempotency key.
            problems: What the caller found wrong already; told together with what is found here.

        Raises:
            AssetwrightError: Nothing was stored and nothing will be paid.
        """

    async def process(
        self, spec: ProcessSpec, *, request_id: str | None, problems: Sequence[Violation] = ()
    ) -> Submitted:
        """Store a job that post-processes an asset; otherwise as `generate`."""

    def watch(
        self, job_id: str, *, after_sequence: int, idle_s: float
    ) -> AsyncGenerator[LogEntry | Idle, None]:
        """Follow a job's log from a position to its end; say `Idle` after that much silence.

        Raises:
            JobNotFound: There is no such job.
            PositionOutOfRange: The position lies in the future.
            Draining: The server stops; the log goes on elsewhere or later.
        """

    async def job(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            JobNotFound: There is none.
        """

    async def jobs(self, query: JobQuery) -> Page[Job]:
        """Return a page of jobs."""

    async def cancel(self, job_id: str, after_submission: AfterSubmission) -> Job:
        """Stop work on a job.

        Raises:
            JobNotFound: There is none.
            JobAlreadyTerminal: It completed or failed.
        """

    async def delete(self, job_id: str) -> None:
        """Delete an ended job, its log, and those of its assets that no other job works with.

        Raises:
            JobNotFound: There is none.
            JobNotTerminal: It has not ended.
        """

    async def resolve(self, job_id: str, *, adopt: str | None) -> Job:
        """Decide a job that failed as SUBMISSION_UNKNOWN, and reopen its log.

        Args:
            job_id: The job.
            adopt: What the gateway calls the request; None: it never arrived, submit again.

        Raises:
            JobNotFound: There is none.
            JobNotTerminal: It has not ended.
            JobAlreadyTerminal: It ended otherwise.
        """

    async def poke(self, job_id: str, *, gateway_request_id: str | None = None) -> None:
        """Say that there may be news of a job; nothing is believed, it is looked up.

        Args:
            job_id: The job.
            gateway_request_id: What a callback says that the gateway calls the request. It is of
                use where the answer that would have said so was lost.
        """

    async def estimate(self, model_id: str) -> Estimate | None:
        """Return how long this server's generations with a model took."""
