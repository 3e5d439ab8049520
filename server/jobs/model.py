"""What a job is: its states and legal moves, what was asked, what it produced and cost."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import msgspec

from asset_processing import ProcessingOptions, Report
from server.gateway.models import InputRole, ParameterValue

__all__ = [
    "MOVES",
    "AfterSubmission",
    "Asset",
    "AssetRole",
    "Charge",
    "GenerateSpec",
    "IllegalTransition",
    "ImageStageSpec",
    "InputRef",
    "Job",
    "JobFailure",
    "JobKind",
    "JobState",
    "Money",
    "Outcome",
    "PriceSource",
    "ProcessSpec",
    "Purchase",
    "PurchaseKind",
    "Quote",
    "Receipt",
    "Spec",
    "Stage",
    "Superseded",
]


class JobKind(Enum):
    """What a job is for."""

    GENERATE = "generate"
    PROCESS = "process"


class JobState(Enum):
    """Where a job is in its life."""

    QUEUED = "queued"
    PREPARING = "preparing"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    DOWNLOADING = "downloading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """No move leads out of it."""
        return not MOVES[self]


_ENDS = frozenset({JobState.FAILED, JobState.CANCELLED})

MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: _ENDS | {JobState.PREPARING, JobState.PROCESSING},
    JobState.PREPARING: _ENDS | {JobState.SUBMITTING},
    JobState.SUBMITTING: _ENDS | {JobState.GENERATING},
    JobState.GENERATING: _ENDS | {JobState.DOWNLOADING},
    # Back to PREPARING: the image stage's picture is there, and the 3D model comes next.
    JobState.DOWNLOADING: _ENDS | {JobState.PREPARING, JobState.PROCESSING, JobState.COMPLETED},
    JobState.PROCESSING: _ENDS | {JobState.COMPLETED},
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


class IllegalTransition(Exception):
    """A move that the table does not allow: a bug, or a race that somebody else won."""

    def __init__(self, *, job_id: str, current: JobState, wanted: JobState) -> None:
        super().__init__(f"job {job_id} cannot go from {current.value} to {wanted.value}")
        self.current = current


class Superseded(Exception):
    """Somebody else has taken the job since: this run of it has nothing more to say."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} was taken by another run")


class Stage(Enum):
    """A step that is worth showing."""

    IMAGE = "image"
    PREPARE = "prepare"
    SUBMIT = "submit"
    GENERATE = "generate"
    DOWNLOAD = "download"
    PROCESS = "process"
    STORE = "store"


class AssetRole(Enum):
    """What an asset is to its job."""

    UPLOAD = "upload"
    SOURCE = "source"
    MODEL = "model"
    TEXTURE = "texture"
    REPORT = "report"
    IMAGE = "image"
    INTERMEDIATE_IMAGE = "intermediate_image"
    LOD = "lod"
    COLLISION = "collision"
    THUMBNAIL = "thumbnail"
    EXPORT = "export"
    PACKED_TEXTURE = "packed_texture"
    FILE = "file"


class AfterSubmission(Enum):
    """What to do with a generation that was submitted before its job was cancelled."""

    DISCARD = "discard"
    COLLECT = "collect"


class Charge(Enum):
    """Whether money was spent."""

    NOT_CHARGED = "not_charged"
    CHARGED = "charged"
    UNKNOWN = "unknown"


class PriceSource(Enum):
    """Where a figure is from."""

    PUBLISHED_PAGE = "published_page"
    NONE = "none"
    FREE = "free"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount; `amount_micros` are millionths of the currency's unit."""

    amount_micros: int
    currency_code: str = "USD"


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A price before."""

    low: Money | None
    high: Money | None
    source: PriceSource
    note: str
    as_of: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was charged."""

    charge: Charge
    source: PriceSource
    note: str = ""
    amount: Money | None = None
    gateway_request_id: str | None = None


class PurchaseKind(Enum):
    """What a job buys: at most one of each."""

    IMAGE = "image"  # The image stage's picture.
    RESULT = "result"  # What the job is for.


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Where a finished generation is: at addresses that expire, or in a blob already."""

    media_urls: tuple[str, ...] = ()
    sha256: str | None = None

    @property
    def count(self) -> int:
        """How many results there are."""
        return 1 if self.sha256 is not None else len(self.media_urls)


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """A generation that a job buys: from the intent, which is on disk before the paid POST."""

    kind: PurchaseKind
    model: str
    charge: Charge
    price: Money | None = None  # The highest published one that may apply.
    price_is_exact: bool = True  # No lower one may apply either.
    intent: str | None = None  # Names the one paid POST that may be sent.
    submitting_since: datetime | None = None  # None: it provably did not arrive.
    submitted_at: datetime | None = None
    gateway_request_id: str | None = None
    generated_at: datetime | None = None
    outcome: Outcome | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may have been sent, and nothing says what became of it."""
        answered = self.gateway_request_id is not None or self.outcome is not None
        return self.submitting_since is not None and not answered


class JobFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, and what to do about it."""

    reason: str
    message: str
    remedy: str
    retryable: bool
    charge: Charge
    metadata: dict[str, str] = {}


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """Stored bytes and what they are."""

    id: str
    role: AssetRole
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    sandbox: bool
    job_id: str | None = None


class InputRef(msgspec.Struct, frozen=True, kw_only=True):
    """An input: a public address, or stored bytes."""

    role: InputRole
    url: str | None = None
    asset_id: str | None = None


class ImageStageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The text-to-image model that makes the picture for the 3D model."""

    model: str
    parameters: dict[str, ParameterValue] = {}


class GenerateSpec(msgspec.Struct, frozen=True, kw_only=True, tag="generate"):
    """What to generate, in the catalog's terms."""

    model: str
    prompt: str | None = None
    inputs: tuple[InputRef, ...] = ()
    parameters: dict[str, ParameterValue] = {}
    image_stage: ImageStageSpec | None = None
    processing: ProcessingOptions = ProcessingOptions()
    labels: dict[str, str] = {}
    max_cost: Money | None = None
    accept_unpriced: bool = False
    max_duration_s: float | None = None


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True, tag="process"):
    """What to post-process."""

    asset_id: str
    processing: ProcessingOptions = ProcessingOptions()
    labels: dict[str, str] = {}


Spec = GenerateSpec | ProcessSpec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is now."""

    id: str
    request_id: str
    kind: JobKind
    state: JobState
    spec: Spec
    created_at: datetime
    updated_at: datetime
    last_sequence: int
    sandbox: bool
    ended_at: datetime | None = None
    reopened_at: datetime | None = None  # By a person's decision.
    cancel: AfterSubmission | None = None
    purchases: tuple[Purchase, ...] = ()
    error: JobFailure | None = None
    receipt: Receipt | None = None
    report: Report | None = None
    assets: tuple[Asset, ...] = ()

    @property
    def model(self) -> str:
        """The model's id; empty for post-processing."""
        return self.spec.model if isinstance(self.spec, GenerateSpec) else ""

    def purchase(self, kind: PurchaseKind) -> Purchase | None:
        """Return what is known of a purchase."""
        return next((one for one in self.purchases if one.kind is kind), None)
