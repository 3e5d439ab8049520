"""What people decide about a job that has ended: to delete it, or what a doubtful one becomes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, select, update

from server.errors import JobAlreadyTerminal, JobNotFound, JobNotTerminal, SubmissionUnknown
from server.jobs import ledger
from server.jobs.events import LogEntry, Notice
from server.jobs.ledger import Source, Witness
from server.jobs.model import Job, JobState
from server.jobs.rows import entry_row, job_of, purchase_of, purchase_row
from server.jobs.tables import ASSETS, EVENTS, JOBS, LABELS, PURCHASES, USES

if TYPE_CHECKING:
    from server.jobs.database import Transactions
    from server.jobs.model import Purchase

__all__ = ["Decisions", "bury", "is_used"]


class Decisions:
    """Makes decisions last."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    async def delete(self, job_id: str) -> None:
        """Delete an ended job, its log, and those of its assets that no other job works with.

        Its request_id stays taken, and what it cost stays counted.

        Raises:
            JobNotFound: There is none.
            JobNotTerminal: It has not ended.
        """

        def work(connection: Connection) -> None:
            row = _row(connection, job_id)
            if row is None or row.deleted_at is not None:
                raise _no_job(job_id)
            if row.ended_at is None:
                raise _runs(row)
            bury(connection, job_id)

        await self._database.write(work)

    async def reopen(self, job_id: str, *, adopt: str | None) -> tuple[Job, int]:
        """Decide a job that failed as SUBMISSION_UNKNOWN, and reopen its log.

        Args:
            job_id: The job.
            adopt: What the gateway calls the request; None: it never arrived, submit again.

        Returns:
            The job, and which of its lives begins.

        Raises:
            JobNotFound: There is none.
            JobNotTerminal: It has not ended.
            JobAlreadyTerminal: It ended otherwise.
        """

        def work(connection: Connection) -> tuple[Job, int]:
            row = _row(connection, job_id)
            if row is None or row.deleted_at is not None:
                raise _no_job(job_id)
            if row.ended_at is None:
                raise _runs(row)
            purchase = _in_doubt(connection, job_id)
            error = job_of(row).error
            if purchase is None or error is None or error.reason != SubmissionUnknown.reason:
                raise _ended_otherwise(row)
            _reopen(connection, row, purchase, adopt)
            return job_of(_row(connection, job_id)), row.life + 1

        return await self._database.write(work)


def bury(connection: Connection, job_id: str) -> None:
    """Remove what a job was, but for its request_id's memory and what it cost."""
    connection.execute(delete(EVENTS).where(EVENTS.c.job_id == job_id))
    connection.execute(delete(LABELS).where(LABELS.c.job_id == job_id))
    connection.execute(delete(USES).where(USES.c.job_id == job_id))
    ledger.forget(connection, job_id=job_id)
    mine = ASSETS.c.job_id == job_id
    connection.execute(delete(ASSETS).where(mine, ~is_used()))
    connection.execute(update(ASSETS).where(mine).values(job_id=None))
    gone = {"spec": b"", "error": None, "report": None, "receipt": None, "deleted_at": time.time()}
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(gone))


def is_used() -> ColumnElement[bool]:
    """Return the condition that some job works with an asset."""
    return exists().where(USES.c.asset_id == ASSETS.c.id)


def _row(connection: Connection, job_id: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    return connection.execute(select(JOBS).where(JOBS.c.id == job_id).with_for_update()).first()


def _in_doubt(connection: Connection, job_id: str) -> Purchase | None:
    rows = connection.execute(select(PURCHASES).where(PURCHASES.c.job_id == job_id))
    return next((one for one in map(purchase_of, rows) if one.is_in_doubt), None)


def _reopen(connection: Connection, row: Any, purchase: Purchase, adopt: str | None) -> None:  # noqa: ANN401 - SQLAlchemy's own
    now = datetime.now(UTC)
    if adopt is None:
        state, notice = JobState.PREPARING, Notice(code="SUBMITTED_AGAIN", message=_AGAIN)
        decided = msgspec.structs.replace(purchase, intent=None, submitting_since=None)
    else:
        message = f"Somebody found the gateway's request {adopt} to be this job's."
        state, notice = JobState.GENERATING, Notice(code="REQUEST_ADOPTED", message=message)
        decided = msgspec.structs.replace(
            purchase, gateway_request_id=adopt, submitted_at=purchase.submitting_since
        )
        witness = Witness(source=Source.PERSON, gateway_request_id=adopt)
        ledger.note(connection, job_id=row.id, intent=purchase.intent or "", witness=witness)
    this = and_(PURCHASES.c.job_id == row.id, PURCHASES.c.kind == purchase.kind.value)
    connection.execute(update(PURCHASES).where(this).values(purchase_row(decided)))
    entry = LogEntry(job_id=row.id, sequence=row.last_sequence + 1, at=now, event=notice)
    connection.execute(insert(EVENTS), [entry_row(entry)])
    values = {
        "state": state.value,
        "updated_at": now.timestamp(),
        "reopened_at": now.timestamp(),
        "ended_at": None,
        "last_sequence": entry.sequence,
        "cancel": None,
        "error": None,
        "receipt": None,
        "node": None,
        "fence": row.fence + 1,
        "life": row.life + 1,
    }
    connection.execute(update(JOBS).where(JOBS.c.id == row.id).values(values))


_AGAIN = "Somebody decided that the request never arrived; it is submitted again."


def _no_job(job_id: str) -> JobNotFound:
    return JobNotFound(f"There is no job {job_id!r}.", job_id=job_id)


def _runs(row: Any) -> JobNotTerminal:  # noqa: ANN401 - SQLAlchemy's own
    return JobNotTerminal(f"Job {row.id} is {row.state}.", job_id=row.id, state=row.state)


def _ended_otherwise(row: Any) -> JobAlreadyTerminal:  # noqa: ANN401 - SQLAlchemy's own
    return JobAlreadyTerminal(
        f"Job {row.id} has {row.state}, and not as SUBMISSION_UNKNOWN: there is nothing to decide.",
        job_id=row.id,
        state=row.state,
    )
