"""What a caller may ask for."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

# Programs that store options read these annotations when they run.
from asset_processing.collision_options import CollisionOptions  # noqa: TC001
from asset_processing.output_options import ExportFormat, Provenance  # noqa: TC001
from asset_processing.profiles import EngineProfile
from asset_processing.texture_options import TextureOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Box",
    "BudgetAction",
    "Decode",
    "ForwardAxis",
    "Lod",
    "LodPlacement",
    "Pivot",
    "ProcessingOptions",
    "SimplifyMethod",
    "Violation",
]

_SCALES = ("scale_factor", "height_m", "longest_side_m")
_SIDES = ("width_m", "height_m", "depth_m")
MAX_LODS = 8
_COUNTS = ("max_triangles", "max_vertices", "decimation_target")

_MIN_THUMBNAIL_PX, _MAX_THUMBNAIL_PX = 16, 1024
_NO_CHANGES = TextureOptions()
_PARTS = ("textures", "collision")


class Pivot(Enum):
    """Which point of the asset becomes the origin."""

    KEEP = "keep"  # The origin stays where it is.
    CENTER = "center"  # The centre of the bounds.
    BASE = "base"  # The centre of the bounds in X and Z, their lowest point in Y (glTF: +Y is up).


class ForwardAxis(Enum):
    """The horizontal axis that the front faces. glTF's is +Z (glTF 2.0, 3.4)."""

    PLUS_Z = "+z"
    MINUS_Z = "-z"
    PLUS_X = "+x"
    MINUS_X = "-x"


class BudgetAction(Enum):
    """What is done with a mesh that is over its budget."""

    CHECK = "check"  # It is measured; the geometry stays.
    ENFORCE = "enforce"  # It is simplified until the budget is met.


class SimplifyMethod(Enum):
    """How a mesh gets fewer triangles."""

    COLLAPSE = "collapse"  # Edges collapse; the atlas and the textures stay.
    REBAKE = "rebake"  # A new atlas and new textures, for budgets that the old atlas cannot meet.


class LodPlacement(Enum):
    """Where levels of detail go."""

    FILES = "files"  # A GLB of its own for each level.
    NODES = "nodes"  # Into the GLB, as nodes that MSFT_lod names.


class Decode(Enum):
    """When compressed, quantized and sparse vertices become plain ones."""

    AUTO = "auto"  # Where an operation that is asked for has to read or write vertices.
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box along the axes, in metres.

    Attributes:
        width_m: Along X.
        height_m: Along Y.
        depth_m: Along Z.
    """

    width_m: float
    height_m: float
    depth_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lod:
    """A level of detail. Exactly one of the two is set.

    Attributes:
        ratio: Share of the delivered model's triangles, above 0 and below 1.
        triangles: Number of triangles, at least 1.
    """

    ratio: float | None = None
    triangles: int | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with the options.

    Attributes:
        field: Name of the option.
        message: What is wrong with it, for people.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingOptions:
    """What is done with an asset. The defaults change nothing.

    Attributes:
        scale_factor: Multiply every length by this. At most one of the four scales is set.
        height_m: Scale so that the extent along +Y is this many metres.
        longest_side_m: Scale so that the longest side of the bounds is this many metres.
        fit_box: Scale so that the bounds just fit into this box, keeping the proportions.
        forward_axis: Turn the asset about +Y so that what faces +Z faces this axis; None leaves it.
        pivot: The point that becomes the origin, after turning and scaling.
        bake: Put every transform that can be into the vertices: those of the operations also where
            the file has skins, animations or morph targets, and those of the file's own nodes that
            do not move. Otherwise the operations add a node where the file is not simple.
        decode: When compressed, quantized and sparse vertices become plain ones.
        normals: Compute normals where triangles have none.
        tangents: Compute tangents where a normal map needs them and there are none.
        weld: Merge vertices that are equal in every bit.
        prune: Leave out what nothing uses, and store what is equal once.
        max_triangles: Budget that the report checks and ``budget_action`` may enforce.
        max_vertices: The same in GPU vertices.
        budget_action: What is done where a budget is not met.
        simplify_method: How a budget is enforced. Levels of detail always collapse.
        lods: Coarser levels of detail, finest first.
        lod_placement: Where they go.
        decimation_target: What the generator was asked for; the report checks it.
        extract_textures: Return the textures beside the GLB. They stay in the GLB as well.
        engine_profile: What the result is for; `profiles.PROFILES` says what that changes.
        textures: Changes to textures.
        collision: A collision shape; None for none.
        thumbnail_px: Width and height of a picture of the model; None for none.
        exports: Other formats to have the model in.
        provenance: Where the asset comes from, to be written into it; None writes nothing.
    """

    scale_factor: float | None = None
    height_m: float | None = None
    longest_side_m: float | None = None
    fit_box: Box | None = None
    forward_axis: ForwardAxis | None = None
    pivot: Pivot = Pivot.KEEP
    bake: bool = False
    decode: Decode = Decode.AUTO
    normals: bool = False
    tangents: bool = False
    weld: bool = False
    prune: bool = False
    max_triangles: int | None = None
    max_vertices: int | None = None
    budget_action: BudgetAction = BudgetAction.CHECK
    simplify_method: SimplifyMethod = SimplifyMethod.COLLAPSE
    lods: tuple[Lod, ...] = ()
    lod_placement: LodPlacement = LodPlacement.FILES
    decimation_target: int | None = None
    extract_textures: bool = True
    engine_profile: EngineProfile = EngineProfile.GENERIC
    textures: TextureOptions = _NO_CHANGES
    collision: CollisionOptions | None = None
    thumbnail_px: int | None = None
    exports: tuple[ExportFormat, ...] = ()
    provenance: Provenance | None = None

    def violations(self) -> tuple[Violation, ...]:
        """Return everything that is wrong with these options, not just the first thing."""
        return (
            *self._bad_scales(),
            *self._several_scales(),
            *self._bad_counts(),
            *self._bad_lods(),
            *self._bad_parts(),
            *self._bad_thumbnail(),
        )

    def _bad_scales(self) -> Iterator[Violation]:
        for name in _SCALES:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                yield Violation(name, f"{name} must be a finite number above 0, not {value}.")

        for name in _SIDES if self.fit_box else ():
            value = getattr(self.fit_box, name)
            if not (math.isfinite(value) and value > 0):
                message = f"fit_box.{name} must be a finite number above 0, not {value}."
                yield Violation(f"fit_box.{name}", message)

    def _several_scales(self) -> Iterator[Violation]:
        given = [name for name in (*_SCALES, "fit_box") if getattr(self, name) is not None]
        if len(given) > 1:
            for name in given:
                others = " and ".join(other for other in given if other != name)
                yield Violation(name, f"{name} cannot be combined with {others}; give one scale.")

    def _bad_counts(self) -> Iterator[Violation]:
        for name in _COUNTS:
            value = getattr(self, name)
            if value is not None and value <= 0:
                yield Violation(name, f"{name} must be above 0, not {value}.")

    def _bad_lods(self) -> Iterator[Violation]:
        if len(self.lods) > MAX_LODS:
            yield Violation("lods", f"There are {len(self.lods)} lods; {MAX_LODS} are allowed.")
        if self.budget_action is BudgetAction.ENFORCE and not (
            self.max_triangles or self.max_vertices
        ):
            message = "budget_action ENFORCE needs max_triangles or max_vertices."
            yield Violation("budget_action", message)
        for number, lod in enumerate(self.lods):
            field = f"lods[{number}]"
            if (lod.ratio is None) == (lod.triangles is None):
                yield Violation(field, f"{field} needs either a ratio or triangles.")
            elif lod.ratio is not None and not 0 < lod.ratio < 1:
                yield Violation(f"{field}.ratio", f"{field}.ratio must lie between 0 and 1.")
            elif lod.triangles is not None and lod.triangles < 1:
                yield Violation(f"{field}.triangles", f"{field}.triangles must be at least 1.")
        for number, (finer, coarser) in enumerate(itertools.pairwise(self.lods), 1):
            if not _is_coarser(coarser, finer):
                field = f"lods[{number}]"
                yield Violation(field, f"{field} must be coarser than the one before it.")

    def _bad_parts(self) -> Iterator[Violation]:
        for name in _PARTS:
            part = getattr(self, name)
            for member, complaint in () if part is None else part.complaints():
                yield Violation(f"{name}.{member}", f"{name}.{member} {complaint}")

    def _bad_thumbnail(self) -> Iterator[Violation]:
        size = self.thumbnail_px
        if size is not None and not _MIN_THUMBNAIL_PX <= size <= _MAX_THUMBNAIL_PX:
            allowed = f"{_MIN_THUMBNAIL_PX} to {_MAX_THUMBNAIL_PX}"
            yield Violation("thumbnail_px", f"thumbnail_px must be {allowed}, not {size}.")


def _is_coarser(lod: Lod, than: Lod) -> bool:
    """Whether a level may follow another one; a ratio and a number are only known to be later."""
    if lod.ratio is not None and than.ratio is not None:
        return lod.ratio < than.ratio
    if lod.triangles is not None and than.triangles is not None:
        return lod.triangles < than.triangles
    return True
