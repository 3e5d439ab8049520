"""What the extension remembers of a job, across restarts of Blender."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..wire.codec import decode, encode
from ..wire.messages import (
    Asset,
    AssetRole,
    DurationEstimate,
    GenerateRequest,
    Job,
    JobError,
    JobEvent,
    JobState,
    ProcessRequest,
    Receipt,
    Report,
    Stage,
)
from .words import Trouble, of_job

if TYPE_CHECKING:
    from ..wire.codec import M, Message

__all__ = ["Phase", "Placement", "Record", "advance", "from_job", "from_json", "renewed", "to_json"]


class Phase(Enum):
    """Where a job is, seen from here. A remote one has ended, its files are the server's alone."""

    SENDING = "sending"
    RUNNING = "running"
    FETCHING = "fetching"
    READY = "ready"
    PLACED = "placed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOTE = "remote"

    @property
    def is_active(self) -> bool:
        """Whether a thread works on it."""
        return self in (Phase.SENDING, Phase.RUNNING, Phase.FETCHING)


@dataclass(frozen=True)
class Placement:
    """Where the model shall stand.

    Attributes:
        location: Of its base, in Blender's units.
        rotation: About Blender's Z axis, in radians.
        replaces: The name of the object whose place it takes; empty for none.
        deletes: Delete that object instead of hiding it.
        document: Which Blender and which file it was asked in; another one does not get it
            by itself.
    """

    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: float = 0.0
    replaces: str = ""
    deletes: bool = False
    document: str = ""


@dataclass(frozen=True)
class Record:
    """A job as it is now. Changed by making another.

    Attributes:
        request_id: The idempotency key, and this record's name.
        method: ``Generate`` or ``Process``.
        request: The request's bytes, to be sent again where nobody knows that it arrived.
        title: For the list.
        server: The address it was sent to.
        picture: SHA-256 of the picture it starts from, which the store has; empty for none.
        placement: Where the result goes.
        provenance: What it was made from, for the imported object.
        created_s: When it was sent, in Unix time.
        sequence: The last entry of its log that was seen.
        submitted_s: When the gateway got it, in Unix time; 0 before.
        fraction: How far the stage is, only where that was measured.
        waiting: Why nothing moves now; None while it does.
        trouble: Why it failed.
    """

    request_id: str
    method: str
    request: bytes
    title: str
    server: str
    picture: str = ""
    placement: Placement = field(default_factory=Placement)
    provenance: tuple[tuple[str, str], ...] = ()
    created_s: float = field(default_factory=time.time)
    phase: Phase = Phase.SENDING
    job_id: str = ""
    sequence: int = 0
    sandbox: bool = False
    plan: tuple[int, ...] = ()
    stage: int = 0
    fraction: float | None = None
    gateway_state: str = ""
    submitted_s: float = 0.0
    estimate: DurationEstimate | None = None
    warnings: tuple[str, ...] = ()
    assets: tuple[Asset, ...] = ()
    report: Report | None = None
    receipt: Receipt | None = None
    waiting: Trouble | None = None
    trouble: Trouble | None = None
    placed_as: str = ""
    ended_s: float = 0.0

    def result(self) -> Asset | None:
        """Return the finished model or picture."""
        for role in (AssetRole.MODEL, AssetRole.IMAGE):
            for asset in self.assets:
                if asset.role == role:
                    return asset
        return None

    def source(self) -> Asset | None:
        """Return the gateway's own bytes, from which processing can be done again."""
        return next((one for one in self.assets if one.role == AssetRole.SOURCE), None)


def advance(record: Record, event: JobEvent) -> Record:
    """Return the record after an entry of the job's log. Kinds that are newer change nothing."""
    kind = event.which("kind")
    change = _CHANGES.get(kind or "")
    changed = change(record, event) if change else {}
    sequence = max(record.sequence, event.sequence)
    values: dict[str, Any] = {
        "job_id": event.job_id or record.job_id,
        "sequence": sequence,
        "waiting": None,
    }
    return replace(record, **(values | changed))


def from_job(job: Job, server: str) -> Record:
    """Return a record of a job that the server lists."""
    title = f"{job.model}: {job.labels['title']}" if "title" in job.labels else job.model
    record = Record(
        request_id=job.request_id,
        method="Generate",
        request=b"",
        title=title or "Processing",
        server=server,
        created_s=job.create_time.seconds if job.create_time else 0.0,
        phase=_ENDS.get(job.state, Phase.RUNNING),
        job_id=job.job_id,
        sandbox=job.sandbox,
        assets=tuple(job.assets),
        receipt=job.receipt,
    )
    return replace(record, trouble=of_job(job.error)) if job.error else record


def renewed(record: Record) -> Record:
    """Return the same request as a new job, which is paid for on its own."""
    request: GenerateRequest | ProcessRequest
    if record.method == "Generate":
        request = decode(GenerateRequest, record.request)
    else:
        request = decode(ProcessRequest, record.request)
    request_id = str(uuid.uuid4())
    request.request_id = request_id
    return Record(
        request_id=request_id,
        method=record.method,
        request=encode(request),
        title=record.title,
        server=record.server,
        picture=record.picture,
        placement=record.placement,
        provenance=record.provenance,
    )


def _accepted(_record: Record, event: JobEvent) -> dict[str, Any]:
    accepted = event.accepted
    assert accepted is not None  # noqa: S101  # It is the kind.
    return {"phase": Phase.RUNNING, "sandbox": accepted.sandbox, "plan": tuple(accepted.plan)}


def _stage_started(_record: Record, event: JobEvent) -> dict[str, Any]:
    stage = event.stage_started.stage if event.stage_started else 0
    return {"phase": Phase.RUNNING, "stage": stage, "fraction": None, "gateway_state": ""}


def _stage_progress(_record: Record, event: JobEvent) -> dict[str, Any]:
    progress = event.stage_progress
    assert progress is not None  # noqa: S101  # It is the kind.
    return {"stage": progress.stage, "fraction": progress.fraction}


def _gateway_update(_record: Record, event: JobEvent) -> dict[str, Any]:
    update = event.gateway_update
    assert update is not None  # noqa: S101  # It is the kind.
    changed: dict[str, Any] = {"gateway_state": update.gateway_state, "estimate": update.estimate}
    if event.event_time and update.elapsed:
        elapsed = update.elapsed.seconds + update.elapsed.nanos / 1e9
        changed["submitted_s"] = event.event_time.seconds - elapsed
    return changed


def _warning(record: Record, event: JobEvent) -> dict[str, Any]:
    message = event.warning.message if event.warning else ""
    return {} if message in record.warnings else {"warnings": (*record.warnings, message)}


def _completed(_record: Record, event: JobEvent) -> dict[str, Any]:
    done = event.completed
    assert done is not None  # noqa: S101  # It is the kind.
    return {
        "phase": Phase.FETCHING,
        "assets": tuple(done.assets),
        "report": done.report,
        "receipt": done.receipt,
        "stage": Stage.UNSPECIFIED,
        "fraction": None,
    }


def _failed(_record: Record, event: JobEvent) -> dict[str, Any]:
    failed = event.failed
    assert failed is not None  # noqa: S101  # It is the kind.
    return {
        "phase": Phase.FAILED,
        "trouble": of_job(failed.error or JobError()),
        "receipt": failed.receipt,
        "assets": tuple(failed.assets),
        "ended_s": time.time(),
    }


def _cancelled(_record: Record, event: JobEvent) -> dict[str, Any]:
    receipt = event.cancelled.receipt if event.cancelled else None
    return {"phase": Phase.CANCELLED, "receipt": receipt, "ended_s": time.time()}


_ENDS: dict[int, Phase] = {
    JobState.COMPLETED: Phase.REMOTE,
    JobState.FAILED: Phase.FAILED,
    JobState.CANCELLED: Phase.CANCELLED,
}
_CHANGES = {
    "accepted": _accepted,
    "stage_started": _stage_started,
    "stage_progress": _stage_progress,
    "gateway_update": _gateway_update,
    "warning": _warning,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}
_MESSAGES: dict[str, type[Message]] = {
    "estimate": DurationEstimate,
    "report": Report,
    "receipt": Receipt,
}


def _text(message: Message) -> str:
    return base64.b64encode(encode(message)).decode()


def _message(kind: type[M], text: str) -> M:
    return decode(kind, base64.b64decode(text))


def to_json(record: Record) -> dict[str, Any]:
    """Return the record in JSON's types."""
    values = {one.name: getattr(record, one.name) for one in fields(record)}
    values["request"] = base64.b64encode(record.request).decode()
    values["phase"] = record.phase.value
    values["placement"] = asdict(record.placement)
    values["assets"] = [_text(asset) for asset in record.assets]
    for name in _MESSAGES:
        values[name] = None if values[name] is None else _text(values[name])
    for name in ("waiting", "trouble"):
        values[name] = None if values[name] is None else asdict(values[name])
    return values


def from_json(values: dict[str, Any]) -> Record:
    """Return the record that `to_json` wrote.

    Raises:
        ValueError, TypeError, KeyError: It did not write this.
    """
    known = {one.name for one in fields(Record)}
    values = {name: value for name, value in values.items() if name in known}
    values["request"] = base64.b64decode(values["request"])
    values["phase"] = Phase(values["phase"])
    placement = values["placement"]
    placement["location"] = tuple(placement["location"])
    values["placement"] = Placement(**placement)
    values["assets"] = tuple(_message(Asset, text) for text in values["assets"])
    for name, kind in _MESSAGES.items():
        values[name] = None if values[name] is None else _message(kind, values[name])
    for name in ("waiting", "trouble"):
        values[name] = None if values[name] is None else Trouble(**values[name])
    values["provenance"] = tuple((name, text) for name, text in values["provenance"])
    for name in ("plan", "warnings"):
        values[name] = tuple(values[name])
    return Record(**values)
