"""The contract's messages as our own values. The only place that reads them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from assetwright import enums, records
from assetwright._wire import from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from google.protobuf.timestamp_pb2 import Timestamp

    from assetwright.v1 import (
        asset_pb2,
        errors_pb2,
        generation_service_pb2,
        job_pb2,
        model_pb2,
        money_pb2,
    )

__all__ = [
    "asset",
    "assets",
    "duration_estimate",
    "job",
    "job_error",
    "model",
    "money",
    "quote",
    "receipt",
    "time",
]


def time(message: Timestamp) -> datetime:
    """Return a timestamp with UTC as its zone."""
    return message.ToDatetime(tzinfo=UTC)


def money(message: money_pb2.Money) -> records.Money:
    """Return an amount."""
    return records.Money(message.currency_code, message.amount_micros)


def asset(message: asset_pb2.Asset) -> records.Asset:
    """Return an asset."""
    return records.Asset(
        asset_id=message.asset_id,
        role=from_wire(enums.AssetRole, message.role),
        name=message.name,
        media_type=message.media_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        job_id=message.job_id if message.HasField("job_id") else None,
        create_time=time(message.create_time) if message.HasField("create_time") else None,
        sandbox=message.sandbox,
    )


def assets(messages: Iterable[asset_pb2.Asset]) -> tuple[records.Asset, ...]:
    """Return assets in their order."""
    return tuple(asset(message) for message in messages)


def job_error(message: errors_pb2.JobError) -> records.JobError:
    """Return why a job failed."""
    return records.JobError(
        reason=from_wire(enums.ErrorReason, message.reason),
        message=message.message,
        remedy=message.remedy,
        retryable=message.retryable,
        charge=from_wire(enums.ChargeState, message.charge),
        metadata=dict(message.metadata),
    )


def receipt(message: money_pb2.Receipt) -> records.Receipt:
    """Return what a job cost."""
    known = message.HasField("gateway_request_id")
    return records.Receipt(
        charge=from_wire(enums.ChargeState, message.charge),
        amount=money(message.amount) if message.HasField("amount") else None,
        source=from_wire(enums.PriceSource, message.source),
        note=message.note,
        gateway_request_id=message.gateway_request_id if known else None,
    )


def quote(message: generation_service_pb2.QuoteResponse) -> records.Quote:
    """Return a price before."""
    return records.Quote(
        low=money(message.low) if message.HasField("low") else None,
        high=money(message.high) if message.HasField("high") else None,
        source=from_wire(enums.PriceSource, message.source),
        note=message.note,
        as_of=message.as_of,
    )


def job(message: job_pb2.Job) -> records.Job:
    """Return a job."""
    return records.Job(
        job_id=message.job_id,
        request_id=message.request_id,
        kind=from_wire(enums.JobKind, message.kind),
        state=from_wire(enums.JobState, message.state),
        model=message.model,
        labels=dict(message.labels),
        create_time=time(message.create_time),
        update_time=time(message.update_time),
        end_time=time(message.end_time) if message.HasField("end_time") else None,
        last_sequence=message.last_sequence,
        assets=assets(message.assets),
        error=job_error(message.error) if message.HasField("error") else None,
        receipt=receipt(message.receipt) if message.HasField("receipt") else None,
        report=message.report if message.HasField("report") else None,
        sandbox=message.sandbox,
    )


def duration_estimate(message: model_pb2.DurationEstimate) -> records.DurationEstimate:
    """Return how long a model usually takes."""
    median = message.median.ToTimedelta().total_seconds()
    return records.DurationEstimate(median, message.sample_size)


def model(message: model_pb2.Model) -> records.Model:
    """Return a model of the catalog."""
    known = message.HasField("duration_estimate")
    return records.Model(
        model_id=message.model_id,
        display_name=message.display_name,
        provider=message.provider,
        task=from_wire(enums.ModelTask, message.task),
        description=message.description,
        inputs=tuple(_input_spec(spec) for spec in message.inputs),
        takes_prompt=message.takes_prompt,
        requires_prompt=message.requires_prompt,
        parameters=tuple(_parameter(parameter) for parameter in message.parameters),
        price_table=_price_table(message.price_table),
        ready=message.ready,
        not_ready_reason=message.not_ready_reason if message.HasField("not_ready_reason") else None,
        duration_estimate=duration_estimate(message.duration_estimate) if known else None,
        sandbox=message.sandbox,
    )


def _input_spec(message: model_pb2.InputSpec) -> records.InputSpec:
    return records.InputSpec(
        role=from_wire(enums.InputRole, message.role),
        required=message.required,
        help=message.help,
        media_types=tuple(message.media_types),
    )


def _parameter(message: model_pb2.Parameter) -> records.Parameter:
    allowed = (_parameter_value(value) for value in message.allowed_values)
    return records.Parameter(
        name=message.name,
        type=from_wire(enums.ParameterType, message.type),
        required=message.required,
        default=_parameter_value(message.default_value),
        allowed=tuple(value for value in allowed if value is not None),
        allows_unlisted=message.allows_unlisted_values,
        minimum=message.minimum if message.HasField("minimum") else None,
        maximum=message.maximum if message.HasField("maximum") else None,
        help=message.help,
    )


def _parameter_value(message: model_pb2.ParameterValue) -> records.ParameterValue | None:
    match message.WhichOneof("kind"):
        case "bool_value":
            return message.bool_value
        case "int_value":
            return message.int_value
        case "float_value":
            return message.float_value
        case "string_value":
            return message.string_value
        case _:
            return None  # Absent, or of a kind that is newer than this client.


def _price_table(message: model_pb2.PriceTable) -> records.PriceTable:
    return records.PriceTable(
        rows=tuple(
            records.PriceRow(dict(row.when), money(row.price) if row.HasField("price") else None)
            for row in message.rows
        ),
        source=from_wire(enums.PriceSource, message.source),
        note=message.note,
        as_of=message.as_of,
    )
