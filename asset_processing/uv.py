"""How a model's triangles lie on its textures: coverage, overlap and texel density."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from asset_processing.operations.textures import texture_images, texture_slots
from asset_processing.surface import soup
from asset_processing.survey import GRID, Survey, TooManyPixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument
    from asset_processing.surface import Part

__all__ = ["UvFacts", "base_texture", "covered_texels", "measure_uv", "placed_uv", "shown_images"]

_GROUPED_BITS = 46  # 64 groups for each power of two.
_TRANSFORM = "KHR_texture_transform"
_Run: TypeAlias = tuple[int, int]  # The first of some triangles, and the one behind the last.


@dataclass(frozen=True, slots=True, kw_only=True)
class UvFacts:
    """TEXCOORD_0 of the default scene's triangles.

    Coverage and overlap are counted on a grid of 512 x 512 samples for each material, on which
    coordinates outside of 0 to 1 are wrapped once around; then the materials are averaged.

    Attributes:
        coverage: Share of the textures that is used, 0 to 1.
        overlap: Share of that which several triangles use, 0 to 1: mirrored or tiled.
        outside: Share of the triangles that reach outside of 0 to 1.
        texel_density_px_m: Pixels of the base colour texture along a metre of the surface, the
            median by area; None without such a texture.
    """

    coverage: float
    overlap: float
    outside: float
    texel_density_px_m: float | None


def measure_uv(document: GlbDocument, parts: list[Part]) -> UvFacts | None:
    """Measure a surface; None where it has no texture coordinates, or too large ones."""
    stored = [part.attribute(document, "TEXCOORD_0") for part in parts]
    runs = _runs(parts)
    if all(coordinates is None for coordinates in stored):
        return None
    survey = Survey(*soup(parts))
    survey.place_on_texture(_joined(parts, stored))
    by_material: dict[int | None, list[tuple[Part, _Run]]] = {}
    for part, run, at in zip(parts, runs, stored, strict=True):
        if at is not None:
            by_material.setdefault(part.material, []).append((part, run))
    try:
        covered = [survey.covered(_counted(textured)) for textured in by_material.values()]
    except TooManyPixels:
        return None
    used = [np.count_nonzero(grid) for grid, _ in covered]
    shared = [np.count_nonzero(grid > 1) for grid, _ in covered]
    reaching = sum(count for _, count in covered)
    return UvFacts(
        coverage=float(np.mean(used) / GRID**2),
        overlap=float(sum(shared) / max(1, sum(used))),
        outside=reaching / sum(len(part.faces) for part, _ in chain(*by_material.values())),
        texel_density_px_m=_texel_density(document, parts, survey, stored),
    )


def _texel_density(
    document: GlbDocument, parts: list[Part], survey: Survey, stored: list[Floats | None]
) -> float | None:
    """The density, where `stored` coordinates are in place already."""
    textures = [
        base_texture(document, part.material) if at is not None else None
        for part, at in zip(parts, stored, strict=True)
    ]
    placed = [
        at if texture is None or _is_plain(texture) else placed_uv(document, part, texture)
        for part, at, texture in zip(parts, stored, textures, strict=True)
    ]
    if any(moved is not at for moved, at in zip(placed, stored, strict=True)):
        survey.place_on_texture(_joined(parts, placed))
    for texture, at, (start, end) in zip(textures, placed, _runs(parts), strict=True):
        size = None if texture is None else _size(document, texture)
        if size is not None and at is not None:
            survey.note_densities(start, end, pixels=size)
    return _median(*survey.densities())


def _is_plain(texture: JsonObject) -> bool:
    """Tell whether a texture reference means TEXCOORD_0 as it is stored."""
    return not texture.get("texCoord") and _TRANSFORM not in texture.get("extensions", {})


def _runs(parts: list[Part]) -> list[_Run]:
    """The first triangle of each part among all, and the one behind its last."""
    ends = [0, *accumulate(len(part.faces) for part in parts)]
    return list(pairwise(ends))


def _joined(parts: list[Part], coordinates: list[Floats | None]) -> Floats:
    """The coordinates of all vertices, shape (vertices, 2); zeros where there are none."""
    if len(parts) == 1 and coordinates[0] is not None:
        return coordinates[0]
    return np.concatenate(
        [
            np.zeros((len(part.points), 2)) if at is None else at
            for part, at in zip(parts, coordinates, strict=True)
        ]
    )


def _counted(textured: list[tuple[Part, _Run]]) -> list[tuple[int, int, int]]:
    """Each primitive's triangles once; one that several nodes draw lies on its texture as often."""
    times = Counter(part.primitive.pointer for part, _ in textured)
    runs = {part.primitive.pointer: run for part, run in textured}
    return [(*run, times[pointer]) for pointer, run in runs.items()]


def covered_texels(document: GlbDocument, parts: list[Part], texture: JsonObject) -> Floats | None:
    """Return where on a texture the triangles that show it lie.

    Args:
        document: The document.
        parts: The primitives with a material that shows the texture.
        texture: The material's reference to it (a ``textureInfo``).

    Returns:
        Sample points, 0 to 1, shape (points, 2); None where there are no coordinates.
    """
    placed = [placed_uv(document, part, texture) for part in parts]
    if all(coordinates is None for coordinates in placed):
        return None
    survey = Survey(*soup(parts))
    survey.place_on_texture(_joined(parts, placed))
    textured = [
        (part, run)
        for part, run, at in zip(parts, _runs(parts), placed, strict=True)
        if at is not None
    ]
    try:
        grid, _ = survey.covered(_counted(textured))
    except TooManyPixels:
        return None
    y, x = np.nonzero(grid)
    return (np.stack([x, y], axis=1) + 0.5) / GRID


def placed_uv(document: GlbDocument, part: Part, texture: JsonObject) -> Floats | None:
    """Return the coordinates that a texture reference means, moved by KHR_texture_transform."""
    moved = texture.get("extensions", {}).get(_TRANSFORM, {})
    number = moved.get("texCoord", texture.get("texCoord", 0))
    stored = part.attribute(document, f"TEXCOORD_{number}")
    if stored is None or not moved:
        return stored
    turn = float(moved.get("rotation", 0))
    scale = np.array(moved.get("scale", (1, 1)), dtype=np.float64)
    offset = np.array(moved.get("offset", (0, 0)), dtype=np.float64)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    placed: Floats = (stored * scale) @ rotation.T + offset
    return placed


def base_texture(document: GlbDocument, material: int | None) -> JsonObject | None:
    """Return a material's reference to its base colour texture, in the core or the archived
    specular-glossiness extension; None without one.
    """  # noqa: D205  # One sentence.
    if material is None:
        return None
    slots = dict(texture_slots(document.json["materials"][material]))
    for name in (
        "pbrMetallicRoughness.baseColorTexture",
        "KHR_materials_pbrSpecularGlossiness.diffuseTexture",
    ):
        if name in slots:
            return slots[name]
    return None


def shown_images(document: GlbDocument, texture: JsonObject) -> Iterator[int]:
    """Yield the images behind a texture reference: the extensions' before their fallback."""
    yield from texture_images(document.json["textures"][texture["index"]])


def _size(document: GlbDocument, texture: JsonObject) -> int | None:
    """Pixels of the first image that has any."""
    for image in shown_images(document, texture):
        header = document.images[image].header
        if header.width is not None and header.height is not None:
            return header.width * header.height
    return None


def _median(value: Floats, weight: Floats) -> float | None:
    """The value at which half of the weight is reached."""
    if not len(value):
        return None
    # Positive numbers are in the order of their bits. Only those in the middle are sorted.
    group = value.view(np.int64) >> _GROUPED_BITS
    group -= group.min()
    total = np.cumsum(np.bincount(group, weights=weight))
    middle = min(int(np.searchsorted(total, total[-1] / 2)), len(total) - 1)
    rows = np.flatnonzero(group == middle)
    rows = rows[np.argsort(value[rows])]
    half = np.cumsum(weight[rows])
    below = total[middle - 1] if middle else 0.0
    at = min(int(np.searchsorted(half, total[-1] / 2 - below)), len(rows) - 1)
    return float(value[rows[at]])
