"""The contract's enums as strings that read well.

What the server sends may be newer than this client, so every enum that is received has an
``UNKNOWN`` member and never fails to parse. Enums that are only sent have none.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AfterSubmission",
    "AlphaAction",
    "AssetRole",
    "BudgetAction",
    "ChargeState",
    "CollisionKind",
    "CollisionPlacement",
    "Decode",
    "DecompositionMethod",
    "EngineProfile",
    "ErrorReason",
    "ExportFormat",
    "ForwardAxis",
    "InputRole",
    "JobKind",
    "JobState",
    "LodPlacement",
    "ModelTask",
    "ParameterType",
    "Pivot",
    "PriceSource",
    "SimplifyMethod",
    "Stage",
    "TexturePacking",
]


class AfterSubmission(StrEnum):
    """What to do with a generation that was submitted before its job was cancelled."""

    DISCARD = "discard"  # Stop waiting; the result is lost.
    COLLECT = "collect"  # Store it unprocessed, since it is paid for.


class AlphaAction(StrEnum):
    """What becomes of a material's alpha mode when its pixels call for another one."""

    KEEP = "keep"  # The pixels are not looked at.
    PROPOSE = "propose"  # The report says so.
    APPLY = "apply"  # The material gets that mode.


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
    EXPORT = "export"
    PACKED_TEXTURE = "packed_texture"


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


class CollisionPlacement(StrEnum):
    """Where a collision shape goes."""

    FILE = "file"  # A GLB of its own.
    NODES = "nodes"  # Named nodes of the model.


class Decode(StrEnum):
    """When compressed, quantized and sparse vertices become plain ones."""

    AUTO = "auto"  # Where the engine or an operation needs it.
    NEVER = "never"
    ALWAYS = "always"


class DecompositionMethod(StrEnum):
    """Which library finds the convex parts of a collision shape."""

    VHACD = "vhacd"
    COACD = "coacd"  # Closer and slower; not every server has it.


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


class ExportFormat(StrEnum):
    """Another format to have the model in."""

    OBJ = "obj"  # With its MTL and textures, in a ZIP.
    STL = "stl"
    PLY = "ply"
    GLTF = "gltf"  # With its buffer and images as files, in a ZIP.


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


class LodPlacement(StrEnum):
    """Where levels of detail go."""

    FILES = "files"  # A GLB each.
    NODES = "nodes"  # Nodes of the model, which MSFT_lod names.


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


class SimplifyMethod(StrEnum):
    """How a model is simplified."""

    COLLAPSE = "collapse"  # Edges collapse; textures stay.
    REBAKE = "rebake"  # A new layout and new textures, for very low budgets.


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


class TexturePacking(StrEnum):
    """Maps that are made from others and stored beside the model."""

    NONE = "none"
    METALLIC_SMOOTHNESS = "metallic_smoothness"  # Unity's.
    ORM = "orm"  # Unreal's.
