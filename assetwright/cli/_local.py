"""The client's processing options as those of asset_processing, for work that is done here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enum import Enum

    from asset_processing import ProcessingOptions
    from assetwright.processing import Processing

__all__ = ["local_options"]

_SAME = (
    "scale_factor",
    "height_m",
    "longest_side_m",
    "max_triangles",
    "max_vertices",
    "extract_textures",
    "bake",
    "weld",
    "prune",
    "thumbnail_px",
)
_RENAMED = {"compute_normals": "normals", "compute_tangents": "tangents"}


def local_options(wanted: Processing) -> ProcessingOptions:
    """Return the same options; what is None keeps asset_processing's own default."""
    import asset_processing as ours  # noqa: PLC0415  # Optional.

    enums: dict[str, type[Enum]] = {
        "pivot": ours.Pivot,
        "budget_action": ours.BudgetAction,
        "engine_profile": ours.EngineProfile,
        "forward_axis": ours.ForwardAxis,
        "decode": ours.Decode,
        "lod_placement": ours.LodPlacement,
        "simplify_method": ours.SimplifyMethod,
    }
    given = {name: getattr(wanted, name) for name in (*_SAME, *_RENAMED, *enums)}
    given = {name: value for name, value in given.items() if value is not None}
    found: dict[str, Any] = {
        _RENAMED.get(name, name): enums[name][value.name] if name in enums else value
        for name, value in given.items()
    }
    if wanted.fit_box is not None:
        box = wanted.fit_box
        found["fit_box"] = ours.Box(width_m=box.width_m, height_m=box.height_m, depth_m=box.depth_m)
    if wanted.textures is not None:
        kinds = {"packing": ours.TexturePacking, "alpha": ours.AlphaAction}
        found["textures"] = ours.TextureOptions(**_members(wanted.textures, kinds))
    if wanted.collision is not None:
        shapes: dict[str, type[Enum]] = {
            "kind": ours.CollisionKind,
            "method": ours.DecompositionMethod,
            "placement": ours.CollisionPlacement,
        }
        found["collision"] = ours.CollisionOptions(**_members(wanted.collision, shapes))
    found["lods"] = tuple(ours.Lod(ratio=lod.ratio, triangles=lod.triangles) for lod in wanted.lods)
    found["exports"] = tuple(ours.ExportFormat[kind.name] for kind in wanted.exports)
    return ours.ProcessingOptions(**found)


def _members(part: object, kinds: dict[str, Any]) -> dict[str, Any]:
    """The members of a part that are set, its enums translated by name."""
    names = part.__dataclass_fields__  # type: ignore[attr-defined]  # Always one of ours.
    values = {name: getattr(part, name) for name in names}
    return {
        name: kinds[name][value.name] if name in kinds else value
        for name, value in values.items()
        if value is not None
    }
