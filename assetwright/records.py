"""What the server knows, as values: assets, jobs, models, money. All of them are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import TypeAlias

    from assetwright.enums import (
        AssetRole,
        ChargeState,
        ErrorReason,
        InputRole,
        JobKind,
        JobState,
        ModelTask,
        ParameterType,
        PriceSource,
        Stage,
    )
    from assetwright.v1.report_pb2 import Report

    ParameterValue: TypeAlias = bool | int | float | str

__all__ = [
    "Asset",
    "DurationEstimate",
    "InputSpec",
    "Job",
    "JobError",
    "Model",
    "Money",
    "Parameter",
    "PriceRow",
    "PriceTable",
    "Quote",
    "Receipt",
    "StageTiming",
]

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money.

    Attributes:
        currency_code: ISO 4217, for example ``USD``.
        amount_micros: Millionths of the currency's unit.
    """

    currency_code: str
    amount_micros: int

    @classmethod
    def usd(cls, amount: Decimal | float | str) -> Money:
        """Return an amount of US dollars, rounded down to a millionth."""
        return cls("USD", int(Decimal(str(amount)) * _MICROS))

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's unit."""
        return Decimal(self.amount_micros) / _MICROS

    def __str__(self) -> str:
        """Return such as ``$0.42`` or ``0.0003 EUR``, with at least two decimals."""
        text = f"{self.amount:f}"
        decimals = len(text.partition(".")[2])
        text = f"{self.amount:.2f}" if decimals < len("00") else text
        return f"${text}" if self.currency_code == "USD" else f"{text} {self.currency_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Stored bytes.

    Attributes:
        asset_id: Opaque.
        role: What it is to its job.
        name: A relative file name, unique within a job, such as ``textures/base_color.webp``.
        media_type: From the bytes, such as ``model/gltf-binary``.
        size_bytes: Number of bytes.
        sha256: Of the bytes, lower-case hexadecimal.
        job_id: The job that made it; None for uploads.
        create_time: When it was stored; None if the server did not say.
        sandbox: Made by the built-in sandbox, not by a model.
    """

    asset_id: str
    role: AssetRole
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    job_id: str | None
    create_time: datetime | None
    sandbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed.

    Attributes:
        reason: For programs.
        message: What happened, for people.
        remedy: What to do about it, for people.
        retryable: Whether the same request may succeed as a new job.
        charge: Whether the failed job cost money.
        metadata: The varying parts of the message.
    """

    reason: ErrorReason
    message: str
    remedy: str
    retryable: bool
    charge: ChargeState
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a job cost.

    Attributes:
        charge: Whether money was spent.
        amount: How much; None unless the price is known.
        source: Where the amount is from.
        note: For people.
        gateway_request_id: The gateway's own id; None when nothing was submitted.
    """

    charge: ChargeState
    amount: Money | None
    source: PriceSource
    note: str
    gateway_request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request would cost.

    Attributes:
        low: The lowest price; None when none is published.
        high: The highest price; None when none is published.
        source: Where the figures are from.
        note: How they were read, for people.
        as_of: The day the page was read, as YYYY-MM-DD; empty without a page.
    """

    low: Money | None
    high: Money | None
    source: PriceSource
    note: str
    as_of: str


@dataclass(frozen=True, slots=True)
class StageTiming:
    """How long a stage took, in seconds."""

    stage: Stage
    duration_s: float


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """How long a model usually takes on this server. An estimate, never a promise.

    Attributes:
        median_s: Median from submission to the final status, in seconds.
        sample_size: How many finished generations it is drawn from.
    """

    median_s: float
    sample_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it was when it was asked for.

    Attributes:
        job_id: Opaque.
        request_id: The caller's idempotency key, or the one the server made.
        kind: What it is for.
        state: Where it is.
        model: The model; empty when a stored asset is processed.
        labels: The caller's labels.
        create_time: When it was accepted.
        update_time: When it last moved.
        end_time: When it ended; None before.
        last_sequence: Sequence of its newest event.
        assets: What it has produced so far.
        error: Why it failed; None unless it did.
        receipt: What it cost; None before its end.
        report: The measured report; None unless a model was processed, and in lists.
        sandbox: Answered by the built-in sandbox.
    """

    job_id: str
    request_id: str
    kind: JobKind
    state: JobState
    model: str
    labels: Mapping[str, str]
    create_time: datetime
    update_time: datetime
    end_time: datetime | None
    last_sequence: int
    assets: tuple[Asset, ...]
    error: JobError | None
    receipt: Receipt | None
    report: Report | None
    sandbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that a model takes.

    Attributes:
        name: The name to send.
        type: The type of its value.
        required: Whether it has to be sent.
        default: What the provider uses without it; None if it decides by itself.
        allowed: The values it may have; empty for any.
        allows_unlisted: Others than the listed values pass with a warning.
        minimum: The lowest number, inclusive; None without one.
        maximum: The highest number, inclusive; None without one.
        help: For people.
    """

    name: str
    type: ParameterType
    required: bool
    default: ParameterValue | None
    allowed: tuple[ParameterValue, ...]
    allows_unlisted: bool
    minimum: float | None
    maximum: float | None
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """An input that a model takes; ``media_types`` is empty when they are not stated."""

    role: InputRole
    required: bool
    help: str
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The price of one generation with these parameter values; none of them means always."""

    when: Mapping[str, str]
    price: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """What a model costs; no rows when no price is published."""

    rows: tuple[PriceRow, ...]
    source: PriceSource
    note: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model in the catalog.

    Attributes:
        model_id: Opaque, such as ``pixal3d``.
        display_name: For people.
        provider: Who serves it.
        task: What it does.
        description: For people.
        inputs: The inputs it takes, by role.
        takes_prompt: Whether it takes a prompt.
        requires_prompt: Whether the prompt has to be sent.
        parameters: The parameters it takes.
        price_table: What it costs.
        ready: Whether this server can use it now.
        not_ready_reason: Why not, and which setting changes that; None when ready.
        duration_estimate: How long it takes; None before the first finished generation.
        sandbox: Answered by the built-in sandbox.
    """

    model_id: str
    display_name: str
    provider: str
    task: ModelTask
    description: str
    inputs: tuple[InputSpec, ...]
    takes_prompt: bool
    requires_prompt: bool
    parameters: tuple[Parameter, ...]
    price_table: PriceTable
    ready: bool
    not_ready_reason: str | None
    duration_estimate: DurationEstimate | None
    sandbox: bool
