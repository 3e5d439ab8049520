"""From our own types to the contract's replies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assetwright.v1 import asset_pb2, errors_pb2, job_pb2, model_pb2, money_pb2
from server.gateway.models import ParameterType
from server.jobs import events
from server.jobs.events import LogEntry
from server.jobs.model import PriceSource
from server.rpc.enums import reason_to_wire, to_wire
from server.rpc.reports import report_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.timestamp_pb2 import Timestamp

    from assetwright.v1 import generation_service_pb2
    from server.gateway.models import InputSpec, Model, Parameter, ParameterValue, PriceTable
    from server.jobs.events import Estimate, Event, Idle
    from server.jobs.model import Asset, Job, JobFailure, Money, Quote, Receipt

__all__ = [
    "asset_message",
    "event_message",
    "job_message",
    "model_message",
    "quote_message",
]

_MICROS = 1_000_000
_MILLIS = 1_000


def event_message(item: LogEntry | Idle, into: job_pb2.JobEvent) -> None:
    """Fill a stream's message from what happened, or from a silence."""
    into.job_id = item.job_id
    _set_time(into.event_time, item.at)
    if isinstance(item, LogEntry):
        into.sequence = item.sequence
        _FILL[type(item.event)](item.event, into)
    else:
        into.heartbeat.state = to_wire(item.state)


def asset_message(asset: Asset) -> asset_pb2.Asset:
    """Return an asset."""
    message = asset_pb2.Asset(
        asset_id=asset.id,
        role=to_wire(asset.role),
        name=asset.name,
        media_type=asset.media_type,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256,
        job_id=asset.job_id,
        sandbox=asset.sandbox,
    )
    _set_time(message.create_time, asset.created_at)
    return message


def job_message(job: Job) -> job_pb2.Job:
    """Return a job."""
    message = job_pb2.Job(
        job_id=job.id,
        request_id=job.request_id,
        kind=to_wire(job.kind),
        state=to_wire(job.state),
        model=job.model,
        labels=job.spec.labels,
        last_sequence=job.last_sequence,
        assets=map(asset_message, job.assets),
        error=None if job.error is None else _error(job.error),
        receipt=None if job.receipt is None else _receipt(job.receipt),
        report=None if job.report is None else report_message(job.report),
        sandbox=job.sandbox,
    )
    _set_time(message.create_time, job.created_at)
    _set_time(message.update_time, job.updated_at)
    if job.ended_at is not None:
        _set_time(message.end_time, job.ended_at)
    return message


def model_message(
    model: Model, *, why_not_ready: str | None, estimate: Estimate | None, sandbox: bool
) -> model_pb2.Model:
    """Return a model."""
    return model_pb2.Model(
        model_id=model.id,
        display_name=model.display_name,
        provider=model.provider,
        task=to_wire(model.task),
        description=model.description,
        inputs=map(_input, model.inputs),
        takes_prompt=model.prompt_field is not None,
        requires_prompt=model.requires_prompt,
        parameters=map(_parameter, model.parameters),
        price_table=_price_table(model.prices),
        ready=why_not_ready is None,
        not_ready_reason=why_not_ready,
        duration_estimate=None if estimate is None else _estimate(estimate),
        sandbox=sandbox,
    )


def quote_message(quote: Quote, into: generation_service_pb2.QuoteResponse) -> None:
    """Fill a quote."""
    if quote.low is not None:
        into.low.CopyFrom(_money(quote.low))
    if quote.high is not None:
        into.high.CopyFrom(_money(quote.high))
    into.source = to_wire(quote.source)
    into.note = quote.note
    into.as_of = quote.as_of


def _accepted(event: events.Accepted, into: job_pb2.JobEvent) -> None:
    into.accepted.request_id = event.request_id
    into.accepted.plan.extend(to_wire(stage) for stage in event.plan)
    into.accepted.sandbox = event.sandbox
    if event.max_price is not None:
        into.accepted.max_price.CopyFrom(_money(event.max_price))


def _stage_started(event: events.StageStarted, into: job_pb2.JobEvent) -> None:
    into.stage_started.stage = to_wire(event.stage)


def _stage_progress(event: events.StageProgress, into: job_pb2.JobEvent) -> None:
    progress = into.stage_progress
    progress.stage = to_wire(event.stage)
    if event.fraction is not None:
        progress.fraction = event.fraction
    if event.done_bytes is not None:
        progress.done_bytes = event.done_bytes
    if event.total_bytes is not None:
        progress.total_bytes = event.total_bytes


def _stage_finished(event: events.StageFinished, into: job_pb2.JobEvent) -> None:
    into.stage_finished.CopyFrom(_finished(event))


def _gateway_update(event: events.GatewayUpdate, into: job_pb2.JobEvent) -> None:
    update = into.gateway_update
    update.gateway_state = event.gateway_state
    update.elapsed.FromMilliseconds(round(event.elapsed_s * _MILLIS))
    if event.estimate is not None:
        update.estimate.CopyFrom(_estimate(event.estimate))


def _asset_ready(event: events.AssetReady, into: job_pb2.JobEvent) -> None:
    into.asset_ready.asset.CopyFrom(asset_message(event.asset))


def _intermediate_image_ready(event: events.IntermediateImageReady, into: job_pb2.JobEvent) -> None:
    into.intermediate_image_ready.asset.CopyFrom(asset_message(event.asset))


def _notice(event: events.Notice, into: job_pb2.JobEvent) -> None:
    into.warning.code = event.code
    into.warning.message = event.message


def _completed(event: events.Completed, into: job_pb2.JobEvent) -> None:
    completed = into.completed
    completed.assets.extend(map(asset_message, event.assets))
    completed.receipt.CopyFrom(_receipt(event.receipt))
    completed.timings.extend(map(_finished, event.timings))
    if event.report is not None:
        completed.report.CopyFrom(report_message(event.report))


def _failed(event: events.Failed, into: job_pb2.JobEvent) -> None:
    into.failed.error.CopyFrom(_error(event.error))
    into.failed.receipt.CopyFrom(_receipt(event.receipt))
    into.failed.assets.extend(map(asset_message, event.assets))


def _cancelled(event: events.Cancelled, into: job_pb2.JobEvent) -> None:
    into.cancelled.receipt.CopyFrom(_receipt(event.receipt))
    into.cancelled.assets.extend(map(asset_message, event.assets))


# How each kind of event is told. A test checks that it knows them all.
_FILL: dict[type[Event], Callable[..., None]] = {
    events.Accepted: _accepted,
    events.StageStarted: _stage_started,
    events.StageProgress: _stage_progress,
    events.StageFinished: _stage_finished,
    events.GatewayUpdate: _gateway_update,
    events.AssetReady: _asset_ready,
    events.IntermediateImageReady: _intermediate_image_ready,
    events.Notice: _notice,
    events.Completed: _completed,
    events.Failed: _failed,
    events.Cancelled: _cancelled,
}


def _finished(event: events.StageFinished) -> job_pb2.StageFinished:
    message = job_pb2.StageFinished(stage=to_wire(event.stage))
    message.duration.FromMilliseconds(round(event.duration_s * _MILLIS))
    return message


def _estimate(estimate: Estimate) -> model_pb2.DurationEstimate:
    message = model_pb2.DurationEstimate(sample_size=estimate.sample_size)
    message.median.FromMilliseconds(round(estimate.median_s * _MILLIS))
    return message


def _error(failure: JobFailure) -> errors_pb2.JobError:
    return errors_pb2.JobError(
        reason=reason_to_wire(failure.reason),
        message=failure.message,
        remedy=failure.remedy,
        retryable=failure.retryable,
        charge=to_wire(failure.charge),
        metadata=failure.metadata,
    )


def _receipt(receipt: Receipt) -> money_pb2.Receipt:
    return money_pb2.Receipt(
        charge=to_wire(receipt.charge),
        amount=None if receipt.amount is None else _money(receipt.amount),
        source=to_wire(receipt.source),
        note=receipt.note,
        gateway_request_id=receipt.gateway_request_id,
    )


def _money(money: Money) -> money_pb2.Money:
    return money_pb2.Money(currency_code=money.currency_code, amount_micros=money.amount_micros)


def _input(spec: InputSpec) -> model_pb2.InputSpec:
    return model_pb2.InputSpec(
        role=to_wire(spec.role),
        required=spec.required,
        help=spec.help,
        media_types=spec.media_types,
    )


def _parameter(parameter: Parameter) -> model_pb2.Parameter:
    return model_pb2.Parameter(
        name=parameter.name,
        type=to_wire(parameter.type),
        required=parameter.required,
        default_value=(
            None if parameter.default is None else _value(parameter.default, parameter.type)
        ),
        allowed_values=(_value(one, parameter.type) for one in parameter.allowed),
        allows_unlisted_values=parameter.open,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        help=parameter.help,
    )


def _value(value: ParameterValue, kind: ParameterType) -> model_pb2.ParameterValue:
    match kind:
        case ParameterType.BOOL:
            return model_pb2.ParameterValue(bool_value=bool(value))
        case ParameterType.INT:
            return model_pb2.ParameterValue(int_value=int(value))
        case ParameterType.FLOAT:
            return model_pb2.ParameterValue(float_value=float(value))
        case ParameterType.STRING:
            return model_pb2.ParameterValue(string_value=str(value))


def _price_table(prices: PriceTable) -> model_pb2.PriceTable:
    source = PriceSource.PUBLISHED_PAGE if prices.rows else PriceSource.NONE
    return model_pb2.PriceTable(
        rows=(
            model_pb2.PriceRow(
                when={name: str(value) for name, value in row.when.items()},
                price=money_pb2.Money(currency_code="USD", amount_micros=int(row.usd * _MICROS)),
            )
            for row in prices.rows
        ),
        source=to_wire(source),
        note=prices.note,
        as_of=prices.as_of,
    )


def _set_time(into: Timestamp, at: datetime) -> None:
    into.FromDatetime(at.astimezone(UTC).replace(tzinfo=None))
