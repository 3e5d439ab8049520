"""Our enums and the contract's numbers: the one table between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from assetwright import enums
from assetwright.v1 import (
    asset_pb2,
    errors_pb2,
    generation_service_pb2,
    job_pb2,
    model_pb2,
    money_pb2,
    processing_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum
    from typing import Any

    from google.protobuf.descriptor import EnumDescriptor

__all__ = ["DESCRIPTORS", "from_wire", "to_wire"]

_E = TypeVar("_E", bound="StrEnum")

DESCRIPTORS: Mapping[type[StrEnum], EnumDescriptor] = {
    enums.AfterSubmission: generation_service_pb2.AfterSubmission.DESCRIPTOR,
    enums.AlphaAction: processing_pb2.AlphaAction.DESCRIPTOR,
    enums.AssetRole: asset_pb2.AssetRole.DESCRIPTOR,
    enums.BudgetAction: processing_pb2.BudgetAction.DESCRIPTOR,
    enums.ChargeState: errors_pb2.ChargeState.DESCRIPTOR,
    enums.CollisionKind: processing_pb2.CollisionKind.DESCRIPTOR,
    enums.CollisionPlacement: processing_pb2.CollisionPlacement.DESCRIPTOR,
    enums.Decode: processing_pb2.Decode.DESCRIPTOR,
    enums.DecompositionMethod: processing_pb2.DecompositionMethod.DESCRIPTOR,
    enums.EngineProfile: processing_pb2.EngineProfile.DESCRIPTOR,
    enums.ErrorReason: errors_pb2.ErrorReason.DESCRIPTOR,
    enums.ExportFormat: processing_pb2.ExportFormat.DESCRIPTOR,
    enums.ForwardAxis: processing_pb2.ForwardAxis.DESCRIPTOR,
    enums.InputRole: model_pb2.InputRole.DESCRIPTOR,
    enums.JobKind: job_pb2.JobKind.DESCRIPTOR,
    enums.JobState: job_pb2.JobState.DESCRIPTOR,
    enums.LodPlacement: processing_pb2.LodPlacement.DESCRIPTOR,
    enums.ModelTask: model_pb2.ModelTask.DESCRIPTOR,
    enums.ParameterType: model_pb2.ParameterType.DESCRIPTOR,
    enums.Pivot: processing_pb2.Pivot.DESCRIPTOR,
    enums.PriceSource: money_pb2.PriceSource.DESCRIPTOR,
    enums.SimplifyMethod: processing_pb2.SimplifyMethod.DESCRIPTOR,
    enums.Stage: job_pb2.Stage.DESCRIPTOR,
    enums.TexturePacking: processing_pb2.TexturePacking.DESCRIPTOR,
}


def _prefix(descriptor: EnumDescriptor) -> str:
    """Return what every value's name starts with, such as ``JOB_STATE_``."""
    return descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")


def to_wire(member: StrEnum) -> Any:  # noqa: ANN401  # Each enum's own number type.
    """Return the contract's number of a member.

    Raises:
        KeyError: The member exists on this side only: ``UNKNOWN`` cannot be sent.
    """
    descriptor = DESCRIPTORS[type(member)]
    return descriptor.values_by_name[_prefix(descriptor) + member.name].number


def from_wire(kind: type[_E], number: int) -> _E:
    """Return the member of a received enum, ``UNKNOWN`` for one that is newer than this client."""
    descriptor = DESCRIPTORS[kind]
    value = descriptor.values_by_number.get(number)
    name = value.name.removeprefix(_prefix(descriptor)) if value else "UNKNOWN"
    return kind[name] if name in kind.__members__ else kind["UNKNOWN"]
