"""From the contract's processing options to asset_processing's. All problems are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from asset_processing import (
    AlphaAction,
    Box,
    BudgetAction,
    CollisionKind,
    CollisionOptions,
    CollisionPlacement,
    Decode,
    DecompositionMethod,
    EngineProfile,
    ExportFormat,
    ForwardAxis,
    Lod,
    LodPlacement,
    Pivot,
    ProcessingOptions,
    Provenance,
    SimplifyMethod,
    TextureOptions,
    TexturePacking,
)
from server.rpc.enums import from_wire, wrong_choice

if TYPE_CHECKING:
    from enum import Enum

    from google.protobuf.message import Message

    from assetwright.v1 import processing_pb2
    from server.errors import Violation

__all__ = ["processing_options"]

E = TypeVar("E", bound="Enum")

_PLAIN = {
    "max_triangles": "max_triangles",
    "max_vertices": "max_vertices",
    "extract_textures": "extract_textures",
    "bake": "bake",
    "compute_normals": "normals",
    "compute_tangents": "tangents",
    "weld": "weld",
    "prune": "prune",
    "thumbnail_px": "thumbnail_px",
}
_ENUMS: dict[str, type[Enum]] = {
    "pivot": Pivot,
    "budget_action": BudgetAction,
    "engine_profile": EngineProfile,
    "forward_axis": ForwardAxis,
    "decode": Decode,
    "lod_placement": LodPlacement,
    "simplify_method": SimplifyMethod,
}
_TEXTURE_ENUMS: dict[str, type[Enum]] = {"packing": TexturePacking, "alpha": AlphaAction}
_COLLISION_ENUMS: dict[str, type[Enum]] = {
    "kind": CollisionKind,
    "method": DecompositionMethod,
    "placement": CollisionPlacement,
}


def processing_options(
    message: processing_pb2.ProcessingOptions, problems: list[Violation]
) -> ProcessingOptions:
    """Return what is asked for; what is absent keeps asset_processing's own default.

    Args:
        message: As it came.
        problems: Receives what is wrong with it.
    """
    present = _present(message)
    given = {ours: getattr(message, name) for name, ours in _PLAIN.items() if name in present}
    given |= _chosen(message, _ENUMS, "processing", problems)
    scale = message.WhichOneof("scale")
    if scale == "fit_box":
        box = message.fit_box
        given["fit_box"] = Box(width_m=box.width_m, height_m=box.height_m, depth_m=box.depth_m)
    elif scale is not None:
        given[scale] = getattr(message, scale)
    if message.HasField("textures"):
        given["textures"] = _textures(message.textures, problems)
    if message.HasField("collision"):
        given["collision"] = _collision(message.collision, problems)
    if not message.HasField("write_provenance") or message.write_provenance:
        given["provenance"] = Provenance()  # The job fills in what it knows.
    given["lods"] = tuple(map(_lod, message.lods))
    given["exports"] = tuple(_exports(message, problems))
    return ProcessingOptions(**given)


def _textures(message: processing_pb2.TextureOptions, problems: list[Violation]) -> TextureOptions:
    present = _present(message) & {"max_size_px", "media_type"}
    given = {name: getattr(message, name) for name in present}
    given |= _chosen(message, _TEXTURE_ENUMS, "processing.textures", problems)
    return TextureOptions(**given)


def _collision(
    message: processing_pb2.CollisionOptions, problems: list[Violation]
) -> CollisionOptions:
    given = _chosen(message, _COLLISION_ENUMS, "processing.collision", problems)
    if not message.kind:
        problems.append(wrong_choice(CollisionKind, "processing.collision.kind"))
    if message.HasField("max_parts"):
        given["max_parts"] = message.max_parts
    given.setdefault("kind", CollisionKind.BOX)  # Refused above.
    return CollisionOptions(**given)  # type: ignore[arg-type]


def _lod(message: processing_pb2.LodLevel) -> Lod:
    target = message.WhichOneof("target")
    return Lod() if target is None else Lod(**{target: getattr(message, target)})


def _exports(
    message: processing_pb2.ProcessingOptions, problems: list[Violation]
) -> list[ExportFormat]:
    found = []
    for position, value in enumerate(message.exports):
        choice = from_wire(ExportFormat, value)
        if choice is None:
            problems.append(wrong_choice(ExportFormat, f"processing.exports[{position}]"))
        else:
            found.append(choice)
    return found


def _present(message: Message) -> set[str]:
    return {descriptor.name for descriptor, _ in message.ListFields()}


def _chosen(
    message: Message, kinds: dict[str, type[Enum]], field: str, problems: list[Violation]
) -> dict[str, object]:
    """Return the enum members that are set, by name."""
    found: dict[str, object] = {}
    present = _present(message)
    for name, kind in kinds.items():
        if name not in present:
            continue
        choice = from_wire(kind, getattr(message, name))
        if choice is None:
            problems.append(wrong_choice(kind, f"{field}.{name}"))
        else:
            found[name] = choice
    return found
