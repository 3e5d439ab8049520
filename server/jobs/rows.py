"""Between rows and values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from asset_processing import Report
from server.jobs.events import Event, LogEntry
from server.jobs.model import (
    AfterSubmission,
    Asset,
    AssetRole,
    Charge,
    Job,
    JobFailure,
    JobKind,
    JobState,
    Money,
    Outcome,
    ProcessSpec,
    Purchase,
    PurchaseKind,
    Receipt,
    Spec,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

__all__ = [
    "asset_of",
    "asset_row",
    "assets_used",
    "entry_of",
    "entry_row",
    "job_of",
    "job_row",
    "purchase_of",
    "purchase_row",
]

_EVENT = msgspec.json.Decoder(Event)
_SPEC = msgspec.json.Decoder(Spec)


def _time_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _decoded(body: bytes | None, kind: Any) -> Any:  # noqa: ANN401 - any of our types
    return None if body is None else msgspec.json.decode(body, type=kind)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def entry_of(row: Row[Any]) -> LogEntry:
    """Return a log entry."""
    return LogEntry(
        job_id=row.job_id, sequence=row.sequence, at=_time(row.at), event=_EVENT.decode(row.body)
    )


def entry_row(entry: LogEntry) -> dict[str, object]:
    """Return a log entry's row."""
    return {
        "job_id": entry.job_id,
        "sequence": entry.sequence,
        "at": entry.at.timestamp(),
        "body": msgspec.json.encode(entry.event),
    }


def asset_of(row: Row[Any]) -> Asset:
    """Return an asset."""
    return Asset(
        id=row.id,
        job_id=row.job_id,
        role=AssetRole(row.role),
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        created_at=_time(row.created_at),
        sandbox=row.sandbox,
    )


def asset_row(asset: Asset) -> dict[str, object]:
    """Return an asset's row."""
    return {
        **msgspec.structs.asdict(asset),
        "role": asset.role.value,
        "created_at": asset.created_at.timestamp(),
    }


def job_of(row: Row[Any]) -> Job:
    """Return a job, without its assets and purchases."""
    return Job(
        id=row.id,
        request_id=row.request_id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        spec=_SPEC.decode(row.spec),
        created_at=_time(row.created_at),
        updated_at=_time(row.updated_at),
        last_sequence=row.last_sequence,
        sandbox=row.sandbox,
        ended_at=_time_or_none(row.ended_at),
        reopened_at=_time_or_none(row.reopened_at),
        cancel=None if row.cancel is None else AfterSubmission(row.cancel),
        error=_decoded(row.error, JobFailure),
        receipt=_decoded(row.receipt, Receipt),
        report=_decoded(row.report, Report),
    )


def job_row(job: Job, *, fingerprint: str, max_price_micros: int, change: str) -> dict[str, object]:
    """Return a new job's row."""
    return {
        "id": job.id,
        "request_id": job.request_id,
        "fingerprint": fingerprint,
        "kind": job.kind.value,
        "state": job.state.value,
        "model": job.model,
        "spec": msgspec.json.encode(job.spec),
        "sandbox": job.sandbox,
        "created_at": job.created_at.timestamp(),
        "updated_at": job.updated_at.timestamp(),
        "last_sequence": 0,
        "max_price_micros": max_price_micros,
        "change": change,
    }


def purchase_of(row: Row[Any]) -> Purchase:
    """Return a purchase."""
    return Purchase(
        kind=PurchaseKind(row.kind),
        model=row.model,
        charge=Charge(row.charge),
        price=None if row.price_micros is None else Money(amount_micros=row.price_micros),
        price_is_exact=row.price_is_exact,
        intent=row.intent,
        submitting_since=_time_or_none(row.submitting_since),
        submitted_at=_time_or_none(row.submitted_at),
        gateway_request_id=row.gateway_request_id,
        generated_at=_time_or_none(row.generated_at),
        outcome=_decoded(row.outcome, Outcome),
    )


def purchase_row(purchase: Purchase) -> dict[str, object]:
    """Return the columns of a purchase, without its job."""
    outcome = purchase.outcome
    return {
        "model": purchase.model,
        "charge": purchase.charge.value,
        "price_micros": None if purchase.price is None else purchase.price.amount_micros,
        "price_is_exact": purchase.price_is_exact,
        "intent": purchase.intent,
        "submitting_since": _seconds(purchase.submitting_since),
        "submitted_at": _seconds(purchase.submitted_at),
        "gateway_request_id": purchase.gateway_request_id,
        "generated_at": _seconds(purchase.generated_at),
        "outcome": None if outcome is None else msgspec.json.encode(outcome),
    }


def assets_used(spec: Spec) -> list[str]:
    """Return the assets that a job works with, each once."""
    if isinstance(spec, ProcessSpec):
        return [spec.asset_id]
    given = (one.asset_id for one in spec.inputs)
    return list(dict.fromkeys(asset_id for asset_id in given if asset_id is not None))
