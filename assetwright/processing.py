"""What to do with a returned model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetwright.enums import ErrorReason
from assetwright.errors import InvalidRequest, Violation

if TYPE_CHECKING:
    from assetwright.enums import (
        AlphaAction,
        BudgetAction,
        CollisionKind,
        CollisionPlacement,
        Decode,
        DecompositionMethod,
        EngineProfile,
        ExportFormat,
        ForwardAxis,
        LodPlacement,
        Pivot,
        SimplifyMethod,
        TexturePacking,
    )

__all__ = ["Box", "Collision", "Lod", "Processing", "Textures"]

_SCALES = ("scale_factor", "height_m", "longest_side_m", "fit_box")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box, in metres."""

    width_m: float
    height_m: float
    depth_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Textures:
    """Changes to textures.

    Attributes:
        max_size_px: The longest side a texture may have, in pixels; None for any.
        media_type: What to convert to, such as ``image/png``; None for what the engine needs.
        packing: Maps to make beside the model; None for those of the engine.
        alpha: What becomes of alpha modes; None proposes them in the report.
    """

    max_size_px: int | None = None
    media_type: str | None = None
    packing: TexturePacking | None = None
    alpha: AlphaAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lod:
    """A level of detail: a share of the full model, or a number of triangles. Exactly one is set.

    Raises:
        InvalidRequest: None or both are set.
    """

    ratio: float | None = None
    triangles: int | None = None

    def __post_init__(self) -> None:
        if (self.ratio is None) == (self.triangles is None):
            raise _invalid("processing.lods", message="Give either ratio or triangles.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """A collision shape.

    Attributes:
        kind: The kind.
        max_parts: The most parts of a decomposition; None for the server's default.
        method: How to decompose; None for the server's default.
        placement: Where it goes; None for where the engine finds it.
    """

    kind: CollisionKind
    max_parts: int | None = None
    method: DecompositionMethod | None = None
    placement: CollisionPlacement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """What to do with a returned model. What is None stays as it is; lengths are metres.

    Attributes:
        scale_factor: Multiplies the size.
        height_m: Extent along Y.
        longest_side_m: Longest of the three extents.
        fit_box: Fits into a box, keeping the proportions. At most one of these four is set.
        pivot: The point to put at the origin.
        max_triangles: Budget of triangles.
        max_vertices: Budget of vertices as the GPU stores them.
        budget_action: What to do over budget; None only measures.
        extract_textures: Whether textures become assets of their own; None means yes.
        engine_profile: What the result is for.
        forward_axis: Where the front shall face.
        textures: Changes to textures.
        lods: Coarser levels of detail.
        collision: A collision shape.
        bake: Whether transforms go into the vertices also where the file is not simple.
        decode: When compressed vertices become plain ones.
        compute_normals: Whether to compute missing normals.
        compute_tangents: Whether to compute missing tangents.
        weld: Whether to merge vertices that are equal in every bit.
        prune: Whether to leave out what nothing uses.
        lod_placement: Where levels of detail go.
        simplify_method: How budgets are met.
        thumbnail_px: Width and height of a rendered preview.
        exports: Other formats to have the model in.
        write_provenance: Whether a generation's origin is written into it; None means yes.

    Raises:
        InvalidRequest: More than one size is set.
    """

    scale_factor: float | None = None
    height_m: float | None = None
    longest_side_m: float | None = None
    fit_box: Box | None = None
    pivot: Pivot | None = None
    max_triangles: int | None = None
    max_vertices: int | None = None
    budget_action: BudgetAction | None = None
    extract_textures: bool | None = None
    engine_profile: EngineProfile | None = None
    forward_axis: ForwardAxis | None = None
    textures: Textures | None = None
    lods: tuple[Lod, ...] = ()
    collision: Collision | None = None
    bake: bool | None = None
    decode: Decode | None = None
    compute_normals: bool | None = None
    compute_tangents: bool | None = None
    weld: bool | None = None
    prune: bool | None = None
    lod_placement: LodPlacement | None = None
    simplify_method: SimplifyMethod | None = None
    thumbnail_px: int | None = None
    exports: tuple[ExportFormat, ...] = ()
    write_provenance: bool | None = None

    def __post_init__(self) -> None:
        # The contract's oneof would silently keep the last one.
        given = [name for name in _SCALES if getattr(self, name) is not None]
        if len(given) > 1:
            raise _invalid(
                *(f"processing.{name}" for name in given), message="Give at most one size."
            )


def _invalid(*fields: str, message: str) -> InvalidRequest:
    return InvalidRequest(
        message,
        reason=ErrorReason.INVALID_REQUEST,
        violations=tuple(Violation(field, message) for field in fields),
    )
