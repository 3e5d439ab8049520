"""From a request to a job: its identity, and whether it is known already."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from server.errors import RequestIdReused, Violation
from server.jobs.model import Job, JobKind, JobState
from server.jobs.port import Submitted

if TYPE_CHECKING:
    from server.jobs.model import Spec

__all__ = ["attach", "fingerprint_of", "new_job", "request_id_problems"]

_MAX_REQUEST_ID = 64


def new_job(spec: Spec, *, request_id: str | None, kind: JobKind, sandbox: bool) -> Job:
    """Return a job that is not stored yet."""
    now = datetime.now(UTC)
    return Job(
        id=f"job_{secrets.token_hex(12)}",
        request_id=request_id or str(uuid.uuid4()),
        kind=kind,
        state=JobState.QUEUED,
        spec=spec,
        created_at=now,
        updated_at=now,
        last_sequence=0,
        sandbox=sandbox,
    )


def attach(job: Job, fingerprint: str, spec: Spec) -> Submitted:
    """Attach to a job that has the same request_id.

    Raises:
        RequestIdReused: It is another request's.
    """
    if fingerprint != fingerprint_of(spec):
        raise RequestIdReused(
            "This request_id belongs to another request.",
            request_id=job.request_id,
            job_id=job.id,
        )
    return Submitted(job_id=job.id, attached=True)


def fingerprint_of(spec: Spec) -> str:
    """Return what tells one request from another: the same for the same request."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()


def request_id_problems(request_id: str | None) -> list[Violation]:
    """Return what is wrong with an idempotency key."""
    if request_id is None or (
        0 < len(request_id) <= _MAX_REQUEST_ID and request_id.isascii() and request_id.isprintable()
    ):
        return []
    message = f"It has 1 to {_MAX_REQUEST_ID} printable ASCII characters, best a UUID."
    return [Violation("request_id", message)]
