"""What happens to a job, as values that are stored and sent."""

from __future__ import annotations

from datetime import datetime

import msgspec

from asset_processing import Report
from server.jobs.model import Asset, JobFailure, JobState, Money, Receipt, Stage

__all__ = [
    "Accepted",
    "AssetReady",
    "Cancelled",
    "Completed",
    "Estimate",
    "Event",
    "Failed",
    "GatewayUpdate",
    "Idle",
    "IntermediateImageReady",
    "LogEntry",
    "Notice",
    "StageFinished",
    "StageProgress",
    "StageStarted",
    "is_terminal",
]


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag="accepted"):
    """The job is stored."""

    request_id: str
    plan: tuple[Stage, ...]
    sandbox: bool
    max_price: Money | None = None


class StageStarted(msgspec.Struct, frozen=True, kw_only=True, tag="stage_started"):
    """A stage has begun."""

    stage: Stage


class StageProgress(msgspec.Struct, frozen=True, kw_only=True, tag="stage_progress"):
    """A stage has come further; only what was measured is set."""

    stage: Stage
    fraction: float | None = None
    done_bytes: int | None = None
    total_bytes: int | None = None


class StageFinished(msgspec.Struct, frozen=True, kw_only=True, tag="stage_finished"):
    """A stage has ended well."""

    stage: Stage
    duration_s: float


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """How long this server's earlier generations took."""

    median_s: float
    sample_size: int


class GatewayUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="gateway_update"):
    """The gateway's own state has changed."""

    gateway_state: str
    elapsed_s: float
    estimate: Estimate | None = None


class AssetReady(msgspec.Struct, frozen=True, kw_only=True, tag="asset_ready"):
    """Bytes are stored."""

    asset: Asset


class IntermediateImageReady(msgspec.Struct, frozen=True, kw_only=True, tag="intermediate_image"):
    """The image stage's picture is stored; the job goes on."""

    asset: Asset


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something the caller should know; the contract's Warning."""

    code: str
    message: str


class Completed(msgspec.Struct, frozen=True, kw_only=True, tag="completed"):
    """It worked."""

    assets: tuple[Asset, ...]
    receipt: Receipt
    report: Report | None = None
    timings: tuple[StageFinished, ...] = ()


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """It failed."""

    error: JobFailure
    receipt: Receipt
    assets: tuple[Asset, ...] = ()


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, tag="cancelled"):
    """It was cancelled."""

    receipt: Receipt
    assets: tuple[Asset, ...] = ()


Event = (
    Accepted
    | StageStarted
    | StageProgress
    | StageFinished
    | GatewayUpdate
    | AssetReady
    | IntermediateImageReady
    | Notice
    | Completed
    | Failed
    | Cancelled
)


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its place in the job's log."""

    job_id: str
    sequence: int
    at: datetime
    event: Event


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing happened for a while; not stored."""

    job_id: str
    at: datetime
    state: JobState


def is_terminal(event: Event) -> bool:
    """Tell whether the log ends here."""
    return isinstance(event, (Completed, Failed, Cancelled))
