"""Entries of a job's log as our own values: one reader for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from assetwright import _parse, events, records
from assetwright._wire import from_wire
from assetwright.enums import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from assetwright.v1 import job_pb2

__all__ = ["READERS", "event"]


class _Head(TypedDict):
    """What every entry has."""

    job_id: str
    sequence: int
    time: datetime


def event(message: job_pb2.JobEvent) -> events.Event | None:
    """Return an entry; None for a kind that is newer than this client."""
    kind = message.WhichOneof("kind")
    if kind is None or kind not in READERS:
        return None
    head = _Head(
        job_id=message.job_id, sequence=message.sequence, time=_parse.time(message.event_time)
    )
    return READERS[kind](head, getattr(message, kind))


def _accepted(head: _Head, body: job_pb2.JobAccepted) -> events.Event:
    return events.Accepted(
        **head,
        request_id=body.request_id,
        attached=body.attached,
        plan=tuple(from_wire(Stage, stage) for stage in body.plan),
        sandbox=body.sandbox,
        max_price=_parse.money(body.max_price) if body.HasField("max_price") else None,
    )


def _stage_started(head: _Head, body: job_pb2.StageStarted) -> events.Event:
    return events.StageStarted(**head, stage=from_wire(Stage, body.stage))


def _stage_progress(head: _Head, body: job_pb2.StageProgress) -> events.Event:
    return events.StageProgress(
        **head,
        stage=from_wire(Stage, body.stage),
        fraction=body.fraction if body.HasField("fraction") else None,
        done_bytes=body.done_bytes if body.HasField("done_bytes") else None,
        total_bytes=body.total_bytes if body.HasField("total_bytes") else None,
    )


def _stage_finished(head: _Head, body: job_pb2.StageFinished) -> events.Event:
    timing = _timing(body)
    return events.StageFinished(**head, stage=timing.stage, duration_s=timing.duration_s)


def _gateway_update(head: _Head, body: job_pb2.GatewayUpdate) -> events.Event:
    return events.GatewayUpdate(
        **head,
        gateway_state=body.gateway_state,
        elapsed_s=body.elapsed.ToTimedelta().total_seconds(),
        estimate=_parse.duration_estimate(body.estimate) if body.HasField("estimate") else None,
    )


def _asset_ready(head: _Head, body: job_pb2.AssetReady) -> events.Event:
    return events.AssetReady(**head, asset=_parse.asset(body.asset))


def _image_ready(head: _Head, body: job_pb2.IntermediateImageReady) -> events.Event:
    return events.IntermediateImageReady(**head, asset=_parse.asset(body.asset))


def _notice(head: _Head, body: job_pb2.Warning) -> events.Event:
    return events.Notice(**head, code=body.code, message=body.message)


def _completed(head: _Head, body: job_pb2.JobCompleted) -> events.Event:
    return events.Completed(
        **head,
        assets=_parse.assets(body.assets),
        report=body.report if body.HasField("report") else None,
        receipt=_parse.receipt(body.receipt),
        timings=tuple(_timing(timing) for timing in body.timings),
    )


def _failed(head: _Head, body: job_pb2.JobFailed) -> events.Event:
    return events.Failed(
        **head,
        error=_parse.job_error(body.error),
        receipt=_parse.receipt(body.receipt),
        assets=_parse.assets(body.assets),
    )


def _cancelled(head: _Head, body: job_pb2.JobCancelled) -> events.Event:
    return events.Cancelled(
        **head, receipt=_parse.receipt(body.receipt), assets=_parse.assets(body.assets)
    )


def _timing(message: job_pb2.StageFinished) -> records.StageTiming:
    duration_s = message.duration.ToTimedelta().total_seconds()
    return records.StageTiming(from_wire(Stage, message.stage), duration_s)


# `Any`: each reader knows the message of its own kind, which the table cannot say.
READERS: Mapping[str, Callable[[_Head, Any], events.Event]] = {
    "accepted": _accepted,
    "stage_started": _stage_started,
    "stage_progress": _stage_progress,
    "stage_finished": _stage_finished,
    "gateway_update": _gateway_update,
    "asset_ready": _asset_ready,
    "intermediate_image_ready": _image_ready,
    "warning": _notice,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}
