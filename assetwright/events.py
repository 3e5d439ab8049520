"""A job's log, entry by entry, as values.

Every event has ``kind`` (its name in the contract) and ``terminal`` (whether the log ends with it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    from assetwright.enums import Stage
    from assetwright.records import Asset, DurationEstimate, JobError, Money, Receipt, StageTiming
    from assetwright.v1.report_pb2 import Report

__all__ = [
    "Accepted",
    "AssetReady",
    "Cancelled",
    "Completed",
    "Event",
    "Failed",
    "GatewayUpdate",
    "IntermediateImageReady",
    "Notice",
    "StageFinished",
    "StageProgress",
    "StageStarted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a job's log. Never made itself.

    Attributes:
        job_id: The job.
        sequence: Position in the log, from 1 without a gap (kinds that are newer than this
            client are left out, so a caller may see one skipped).
        time: When it happened, with a time zone.
    """

    kind: ClassVar[str]
    terminal: ClassVar[bool] = False

    job_id: str
    sequence: int
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The job is stored and will be worked on, whatever becomes of this client.

    Attributes:
        request_id: The idempotency key.
        attached: The request was known already: this is the existing job.
        plan: The stages to come, in order.
        sandbox: Answered by the built-in sandbox, not by a provider.
        max_price: The highest price; None when none is known.
    """

    kind: ClassVar[str] = "accepted"

    request_id: str
    attached: bool
    plan: tuple[Stage, ...]
    sandbox: bool
    max_price: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(Event):
    """A stage has begun."""

    kind: ClassVar[str] = "stage_started"

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress(Event):
    """A stage has come further. What could not be measured is None.

    Attributes:
        stage: The stage.
        fraction: From 0 to 1.
        done_bytes: Bytes done.
        total_bytes: Bytes in all.
    """

    kind: ClassVar[str] = "stage_progress"

    stage: Stage
    fraction: float | None
    done_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished(Event):
    """A stage has ended well, after ``duration_s`` seconds."""

    kind: ClassVar[str] = "stage_finished"

    stage: Stage
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayUpdate(Event):
    """The gateway's own word about the generation.

    Attributes:
        gateway_state: In the gateway's words, such as ``QUEUED``.
        elapsed_s: Seconds since the submission.
        estimate: How long earlier generations took; None before the first.
    """

    kind: ClassVar[str] = "gateway_update"

    gateway_state: str
    elapsed_s: float
    estimate: DurationEstimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetReady(Event):
    """Bytes are stored and can be downloaded."""

    kind: ClassVar[str] = "asset_ready"

    asset: Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class IntermediateImageReady(Event):
    """The image stage's picture is stored; the job goes on."""

    kind: ClassVar[str] = "intermediate_image_ready"

    asset: Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something to know; the job goes on. The contract calls it a warning.

    Attributes:
        code: For programs, such as ``SANDBOX_RESULT``.
        message: For people.
    """

    kind: ClassVar[str] = "warning"

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Event):
    """The job worked.

    Attributes:
        assets: Everything it produced.
        report: The measured report; None when nothing was post-processed.
        receipt: What it cost.
        timings: How long each stage took.
    """

    kind: ClassVar[str] = "completed"
    terminal: ClassVar[bool] = True

    assets: tuple[Asset, ...]
    report: Report | None
    receipt: Receipt
    timings: tuple[StageTiming, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The job failed.

    Attributes:
        error: Why, and what to do about it.
        receipt: What it cost.
        assets: What was stored before, such as the gateway's bytes.
    """

    kind: ClassVar[str] = "failed"
    terminal: ClassVar[bool] = True

    error: JobError
    receipt: Receipt
    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """The job was cancelled.

    Attributes:
        receipt: What it cost: a generation that was submitted is charged all the same.
        assets: What was stored before, or collected by choice.
    """

    kind: ClassVar[str] = "cancelled"
    terminal: ClassVar[bool] = True

    receipt: Receipt
    assets: tuple[Asset, ...]
