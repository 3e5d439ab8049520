"""Enums of the contract and of the house, matched by name: `JOB_STATE_QUEUED` is `JobState.QUEUED`.

A test checks that every member of the house has its value in the contract.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from asset_processing import (
    AlphaAction,
    AlphaUse,
    BudgetAction,
    CollisionKind,
    CollisionPlacement,
    Decode,
    DecompositionMethod,
    EngineProfile,
    ExportFormat,
    ForwardAxis,
    LodPlacement,
    OutputKind,
    Pivot,
    Severity,
    SimplifyMethod,
    TexturePacking,
    TextureRole,
)
from assetwright.v1 import (
    asset_pb2,
    errors_pb2,
    generation_service_pb2,
    job_pb2,
    model_pb2,
    money_pb2,
    processing_pb2,
    report_pb2,
)
from server.errors import Violation
from server.gateway.models import InputRole, ModelTask, ParameterType
from server.jobs.model import (
    AfterSubmission,
    AssetRole,
    Charge,
    JobKind,
    JobState,
    PriceSource,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PAIRS", "from_wire", "reason_to_wire", "to_wire"]

E = TypeVar("E", bound=Enum)

# The generated wrappers have no common public type.
PAIRS: Mapping[type[Enum], tuple[Any, str]] = {
    AfterSubmission: (generation_service_pb2.AfterSubmission, "AFTER_SUBMISSION_"),
    AlphaAction: (processing_pb2.AlphaAction, "ALPHA_ACTION_"),
    AlphaUse: (report_pb2.AlphaUse, "ALPHA_USE_"),
    AssetRole: (asset_pb2.AssetRole, "ASSET_ROLE_"),
    BudgetAction: (processing_pb2.BudgetAction, "BUDGET_ACTION_"),
    Charge: (errors_pb2.ChargeState, "CHARGE_STATE_"),
    CollisionKind: (processing_pb2.CollisionKind, "COLLISION_KIND_"),
    CollisionPlacement: (processing_pb2.CollisionPlacement, "COLLISION_PLACEMENT_"),
    Decode: (processing_pb2.Decode, "DECODE_"),
    DecompositionMethod: (processing_pb2.DecompositionMethod, "DECOMPOSITION_METHOD_"),
    EngineProfile: (processing_pb2.EngineProfile, "ENGINE_PROFILE_"),
    ExportFormat: (processing_pb2.ExportFormat, "EXPORT_FORMAT_"),
    ForwardAxis: (processing_pb2.ForwardAxis, "FORWARD_AXIS_"),
    InputRole: (model_pb2.InputRole, "INPUT_ROLE_"),
    JobKind: (job_pb2.JobKind, "JOB_KIND_"),
    JobState: (job_pb2.JobState, "JOB_STATE_"),
    LodPlacement: (processing_pb2.LodPlacement, "LOD_PLACEMENT_"),
    ModelTask: (model_pb2.ModelTask, "MODEL_TASK_"),
    OutputKind: (asset_pb2.AssetRole, "ASSET_ROLE_"),
    ParameterType: (model_pb2.ParameterType, "PARAMETER_TYPE_"),
    Pivot: (processing_pb2.Pivot, "PIVOT_"),
    PriceSource: (money_pb2.PriceSource, "PRICE_SOURCE_"),
    Severity: (report_pb2.Severity, "SEVERITY_"),
    SimplifyMethod: (processing_pb2.SimplifyMethod, "SIMPLIFY_METHOD_"),
    Stage: (job_pb2.Stage, "STAGE_"),
    TexturePacking: (processing_pb2.TexturePacking, "TEXTURE_PACKING_"),
    TextureRole: (report_pb2.TextureRole, "TEXTURE_ROLE_"),
}


def to_wire(member: Enum) -> Any:  # noqa: ANN401 - each enum has a type of its own
    """Return the contract's value of a member."""
    wrapper, prefix = PAIRS[type(member)]
    return wrapper.Value(prefix + member.name)


def from_wire(kind: type[E], value: int) -> E | None:
    """Return the member of a value; None for unspecified, unknown and unsupported ones."""
    wrapper, prefix = PAIRS[kind]
    names: Mapping[int, str] = {number: name for name, number in wrapper.items()}
    return kind.__members__.get(names.get(value, "").removeprefix(prefix))


def choices(kind: type[Enum]) -> str:
    """Return what may be sent, for people."""
    return ", ".join(member.name for member in kind)


def wrong_choice(kind: type[Enum], field: str) -> Violation:
    """Say that a field is none of the choices."""
    return Violation(field, f"It is one of {choices(kind)}.")


def reason_to_wire(reason: str) -> errors_pb2.ErrorReason.ValueType:
    """Return the contract's value of an error's reason."""
    return errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")
