"""What was asked, what was measured, and what else is worth knowing."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Self, Union, get_args, get_origin, get_type_hints

from asset_processing.collision_options import CollisionKind  # noqa: TC001
from asset_processing.geometry import Bounds  # noqa: TC001  # from_json reads the annotations.
from asset_processing.issues import Issue  # noqa: TC001
from asset_processing.operations.textures import TextureFacts  # noqa: TC001
from asset_processing.outputs import OutputKind  # noqa: TC001
from asset_processing.profiles import CollisionPlacement  # noqa: TC001
from asset_processing.topology import Topology  # noqa: TC001
from asset_processing.uv import UvFacts  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Check",
    "CollisionFacts",
    "Counts",
    "FileFacts",
    "MaterialFacts",
    "MemoryFacts",
    "OutputFacts",
    "Report",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A GLB as a file.

    Attributes:
        sha256: In hexadecimal.
        size_bytes: Length.
        generator: What the file says it was made by; None where it does not.
    """

    sha256: str
    size_bytes: int
    generator: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is. Everything is counted as stored: a mesh that two nodes draw counts once.

    Triangles, vertices and positions are those of the full model: a mesh that only levels of
    detail draw (MSFT_lod) is left out.

    Attributes:
        triangles: Triangles of all primitives.
        triangles_drawn: Triangles of the default scene, once for every node and instance.
        gpu_vertices: Vertices of all primitives, one for each side of a UV or normal seam.
        unique_positions: Different places among the vertices of each mesh; None where compressed.
        meshes: Meshes.
        primitives: Primitives; each is a draw call.
        nodes: Nodes.
        materials: Materials.
        textures: Textures.
        images: Images.
        skins: Skins.
        animations: Animations.
        morph_targets: Morph targets of all meshes, each counted once for its mesh.
    """

    triangles: int
    triangles_drawn: int
    gpu_vertices: int
    unique_positions: int | None
    meshes: int
    primitives: int
    nodes: int
    materials: int
    textures: int
    images: int
    skins: int
    animations: int
    morph_targets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialFacts:
    """A material.

    Attributes:
        name: Its name in the file.
        alpha_mode: ``OPAQUE``, ``MASK`` or ``BLEND``.
        double_sided: Whether back faces are drawn.
        texture_slots: Where it has a texture, such as ``normalTexture``.
    """

    name: str | None
    alpha_mode: str
    double_sided: bool
    texture_slots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollisionFacts:
    """The collision shapes that were made. Counts and bounds of the model leave them out.

    Attributes:
        kind: What was asked.
        placement: In a file of their own, or as nodes of the GLB.
        names: Of their nodes; one for each convex part.
        vertices: Of all parts.
        triangles: Of all parts.
        volume_m3: Sum of the parts' volumes.
    """

    kind: CollisionKind
    placement: CollisionPlacement
    names: tuple[str, ...]
    vertices: int
    triangles: int
    volume_m3: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFacts:
    """An estimate of what the asset takes on a GPU, in bytes.

    Attributes:
        geometry_bytes: Vertices, indices and morph targets as stored once decoded.
        textures_bytes: Images as 4 bytes per pixel with mipmaps, a third more.
        textures_compressed_bytes: The same as BC7 or ASTC 4x4: 1 byte per pixel.
    """

    geometry_bytes: int
    textures_bytes: int
    textures_compressed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFacts:
    """A file beside the GLB.

    Attributes:
        name: Relative path.
        kind: What it is for.
        media_type: Of its content.
        size_bytes: Length.
        sha256: In hexadecimal.
        loses: What the model has and this file does not.
    """

    name: str
    kind: OutputKind
    media_type: str
    size_bytes: int
    sha256: str
    loses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line for one thing that was asked.

    Attributes:
        name: The option, such as ``height_m``.
        asked: What was asked for, as a number; None where it is no number.
        measured: What the delivered file measures; None where it could not be measured.
        unit: Of both: ``m``, ``x``, ``triangles``, ``vertices``, ``positions`` or ``images``.
        passed: Whether it holds; None where nobody can tell.
        detail: The same for people, with the tolerance.
    """

    name: str
    asked: float | None
    measured: float | None
    unit: str
    passed: bool | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a delivered asset measures. Every figure is of the delivered bytes, read again.

    Attributes:
        schema_version: Of this shape; changes when a member changes its meaning.
        source: The file that came in.
        result: The file that was delivered.
        bounds_before: The default scene as it came in, in metres.
        bounds_after: The default scene as delivered, in metres.
        counts: How much there is.
        topology: How the surface hangs together; None where that could not be measured.
        materials: In the order of the file.
        textures: In the order of the file's images.
        checks: One line for each thing that was asked.
        issues: What else is worth knowing.
        uv: How the triangles lie on their textures; None where that could not be measured.
        memory: An estimate of what the asset takes on a GPU.
        collision: The collision shapes; None where none were asked for.
        outputs: Files beside the GLB.
    """

    schema_version: str = "1"
    source: FileFacts
    result: FileFacts
    bounds_before: Bounds
    bounds_after: Bounds
    counts: Counts
    topology: Topology | None
    materials: tuple[MaterialFacts, ...]
    textures: tuple[TextureFacts, ...]
    checks: tuple[Check, ...]
    issues: tuple[Issue, ...]
    uv: UvFacts | None = None
    memory: MemoryFacts | None = None
    collision: CollisionFacts | None = None
    outputs: tuple[OutputFacts, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing that was asked failed. What could not be told does not count."""
        return all(check.passed is not False for check in self.checks)

    def to_json(self) -> str:
        """Return the report as JSON text: the same report always gives the same text."""
        return json.dumps(asdict(self), default=_plain, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; members that are not known are left out.

        Raises:
            ValueError: The text is no such report.
        """
        try:
            found = _build(cls, json.loads(text))
        except (KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ValueError("The text is no report of an asset.") from exc
        if not isinstance(found, cls):
            raise ValueError("The text is no report of an asset.")  # noqa: TRY004  # As documented.
        return found

    def to_text(self) -> str:
        """Return lines for people."""
        counts = self.counts
        lines = [f"{_mark(check.passed)} {check.name}: {check.detail}" for check in self.checks]
        lines += [
            f"size      {' x '.join(f'{side:.4g}' for side in self.bounds_after.size)} m",
            (
                f"geometry  {counts.triangles:,} triangles, {counts.gpu_vertices:,} vertices, "
                f"{counts.primitives:,} primitives"
            ),
            f"file      {self.result.size_bytes:,} bytes, sha256 {self.result.sha256}",
        ]
        if self.uv is not None:
            density = self.uv.texel_density_px_m
            lines.append(
                f"uv        {self.uv.coverage:.0%} covered, {self.uv.overlap:.0%} of that twice"
                + ("" if density is None else f", {density:,.0f} px/m")
            )
        if self.memory is not None:
            lines.append(
                f"gpu       {self.memory.geometry_bytes:,} bytes of geometry, "
                f"{self.memory.textures_bytes:,} of textures "
                f"({self.memory.textures_compressed_bytes:,} compressed), estimated"
            )
        if self.collision is not None:
            lines.append(
                f"collision {len(self.collision.names)} parts, {self.collision.triangles:,} "
                f"triangles, {self.collision.volume_m3:.4g} m3, as {self.collision.placement.value}"
            )
        lines += [
            f"texture   {texture.file_name} {texture.width or '?'}x{texture.height or '?'}"
            for texture in self.textures
        ]
        lines += [_described(output) for output in self.outputs]
        lines += [
            f"{issue.severity.value:<9} {issue.code.value}: {issue.message}"
            for issue in self.issues
        ]
        return "\n".join(lines) + "\n"


def _described(output: OutputFacts) -> str:
    without = f", without {', '.join(output.loses)}" if output.loses else ""
    return f"output    {output.name} {output.size_bytes:,} bytes{without}"


def _mark(passed: bool | None) -> str:  # noqa: FBT001  # Three states, one argument.
    return {True: "passed   ", False: "FAILED   ", None: "unknown  "}[passed]


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(type(value).__name__)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _build(kind: object, value: object) -> object:
    """Read a JSON value as the type an annotation names.

    Raises:
        TypeError: It is something else.
    """
    if get_origin(kind) in (Union, UnionType):
        inner = next(arm for arm in get_args(kind) if arm is not type(None))
        return None if value is None else _build(inner, value)
    if get_origin(kind) is tuple:
        return _build_tuple(get_args(kind), value)
    if not isinstance(kind, type):
        raise TypeError(kind)
    if is_dataclass(kind):
        return _build_dataclass(kind, value)
    if issubclass(kind, Enum):
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise TypeError(value)
    return value


def _build_tuple(arms: tuple[object, ...], value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    if arms[-1] is Ellipsis:
        return tuple(_build(arms[0], part) for part in value)
    if len(arms) != len(value):
        raise TypeError(value)
    return tuple(_build(arm, part) for arm, part in zip(arms, value, strict=True))


def _build_dataclass(kind: type, value: object) -> object:
    if not isinstance(value, dict):
        raise TypeError(value)
    hints = _hints(kind)
    return kind(
        **{
            field.name: _build(hints[field.name], value[field.name])
            for field in fields(kind)
            # Reports of an earlier release do not have what was added since.
            if field.name in value or field.default is MISSING
        }
    )
