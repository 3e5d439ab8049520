"""The contract's enums as strings that read well.

What the server sends may be newer than this client, so every enum that is received has an
``UNKNOWN`` member and never fails to parse. Enums that are only sent have none.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AfterSubmission",
    "AssetRole",
    "BudgetAction",
    "ChargeState",
    "CollisionKind",
    "EngineProfile",
    "ErrorReason",
    "ForwardAxis",
    "InputRole",
    "JobKind",
    "JobState",
    "ModelTask",
    "ParameterType",
    "Pivot",
    "PriceSource",
    "Stage",
]


class AfterSubmission(StrEnum):
    """What to do with a generation that was submitted before its job was cancelled."""

    DISCARD = "discard"  # Stop waiting; the result is lost.
    COLLECT = "collect"  # Store it unprocessed, since it is paid for.


class AssetRole(StrEnum):
    """What an asset is to its job."""

    UNKNOWN = "unknown"
    UPLOAD = "upload"
    SOURCE = "source"  # The gateway's bytes as they came.
    MODEL = "model"
    TEXTURE = "texture"
    REPORT = "report"
    IMAGE = "image"
    INTERMEDIATE_IMAGE = "intermediate_image"
    LOD = "lod"
    COLLISION = "collision"
    THUMBNAIL = "thumbnail"
    FILE = "file"


class BudgetAction(StrEnum):
    """What to do with a model that is over its budget."""

    CHECK = "check"
    ENFORCE = "enforce"


class ChargeState(StrEnum):
    """Whether money was spent."""

    UNKNOWN = "unknown"  # The provider's pages do not say.
    NOT_CHARGED = "not_charged"
    CHARGED = "charged"


class CollisionKind(StrEnum):
    """The kind of a collision shape."""

    BOX = "box"
    CONVEX_HULL = "convex_hull"
    CONVEX_DECOMPOSITION = "convex_decomposition"


class EngineProfile(StrEnum):
    """The program that the result is for."""

    GENERIC = "generic"
    BLENDER = "blender"
    GODOT = "godot"
    UNITY = "unity"
    UNREAL = "unreal"


class ErrorReason(StrEnum):
    """Why something failed, spelled as ``google.rpc.ErrorInfo`` carries it."""

    UNKNOWN = "UNKNOWN"
    INVALID_REQUEST = "INVALID_REQUEST"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_NOT_READY = "MODEL_NOT_READY"
    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    ASSET_NOT_FOUND = "ASSET_NOT_FOUND"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    JOB_ALREADY_TERMINAL = "JOB_ALREADY_TERMINAL"
    JOB_NOT_TERMINAL = "JOB_NOT_TERMINAL"
    POSITION_OUT_OF_RANGE = "POSITION_OUT_OF_RANGE"
    QUEUE_FULL = "QUEUE_FULL"
    DISK_FULL = "DISK_FULL"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    PRICE_UNKNOWN = "PRICE_UNKNOWN"
    INPUT_NOT_REACHABLE = "INPUT_NOT_REACHABLE"
    INPUT_INVALID = "INPUT_INVALID"
    CONTENT_REJECTED = "CONTENT_REJECTED"
    GATEWAY_UNAVAILABLE = "GATEWAY_UNAVAILABLE"
    GATEWAY_RATE_LIMITED = "GATEWAY_RATE_LIMITED"
    GATEWAY_REFUSED_US = "GATEWAY_REFUSED_US"
    GATEWAY_BALANCE = "GATEWAY_BALANCE"
    GATEWAY_REJECTED_REQUEST = "GATEWAY_REJECTED_REQUEST"
    GATEWAY_REPLY_UNKNOWN = "GATEWAY_REPLY_UNKNOWN"
    GENERATION_FAILED = "GENERATION_FAILED"
    SUBMISSION_UNKNOWN = "SUBMISSION_UNKNOWN"
    MEDIA_UNAVAILABLE = "MEDIA_UNAVAILABLE"
    ASSET_INVALID = "ASSET_INVALID"
    ASSET_TOO_COMPLEX = "ASSET_TOO_COMPLEX"
    ASSET_UNSUPPORTED = "ASSET_UNSUPPORTED"
    PROCESSING_FAILED = "PROCESSING_FAILED"
    JOB_DEADLINE_EXCEEDED = "JOB_DEADLINE_EXCEEDED"
    DRAINING = "DRAINING"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    ASSET_CORRUPT = "ASSET_CORRUPT"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"


class ForwardAxis(StrEnum):
    """The horizontal axis that the model's front faces."""

    PLUS_Z = "plus_z"
    MINUS_Z = "minus_z"
    PLUS_X = "plus_x"
    MINUS_X = "minus_x"


class InputRole(StrEnum):
    """What an input is to a model."""

    UNKNOWN = "unknown"
    SOURCE = "source"
    MASK = "mask"
    DATASET = "dataset"


class JobKind(StrEnum):
    """What a job is for."""

    UNKNOWN = "unknown"
    GENERATE = "generate"
    PROCESS = "process"


class JobState(StrEnum):
    """Where a job is in its life."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    PREPARING = "preparing"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    DOWNLOADING = "downloading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ModelTask(StrEnum):
    """What a model does."""

    UNKNOWN = "unknown"
    IMAGE_TO_3D = "image_to_3d"
    TEXT_TO_IMAGE = "text_to_image"
    IMAGE_TO_IMAGE = "image_to_image"
    INPAINT = "inpaint"
    TRAIN = "train"


class ParameterType(StrEnum):
    """The type of a model's parameter."""

    UNKNOWN = "unknown"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"


class Pivot(StrEnum):
    """Which point of the model lies at the origin."""

    KEEP = "keep"
    CENTER = "center"
    BASE = "base"  # Centred in x and z, the lowest point at y = 0.


class PriceSource(StrEnum):
    """Where a figure comes from."""

    UNKNOWN = "unknown"
    PUBLISHED_PAGE = "published_page"
    GATEWAY_REPORTED = "gateway_reported"
    NONE = "none"  # Nobody publishes it.
    FREE = "free"  # It costs nothing here.


class Stage(StrEnum):
    """A step of a job that is worth showing."""

    UNKNOWN = "unknown"
    IMAGE = "image"
    PREPARE = "prepare"
    SUBMIT = "submit"
    GENERATE = "generate"
    DOWNLOAD = "download"
    PROCESS = "process"
    STORE = "store"
