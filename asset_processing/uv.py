"""How a model's triangles lie on its textures: coverage, overlap and texel density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from asset_processing.operations.textures import texture_images, texture_slots
from asset_processing.rasterizer import TooManyPixels, rasterize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument
    from asset_processing.surface import Part

__all__ = ["UvFacts", "base_texture", "covered_texels", "measure_uv", "placed_uv", "shown_images"]

GRID = 512
"""Samples along each side of the texture."""

_MAX_TRIED = 1 << 25  # A second.
_TRIANGLES = 1 << 16  # Rasterized at once: 10 MB.
_ROWS = 1 << 14  # Triangles whose areas are computed at once, in the processor's cache.
_GROUPED_BITS = 46  # 64 groups for each power of two.
_TRANSFORM = "KHR_texture_transform"
_Mapped: TypeAlias = "tuple[Floats, Integers, int]"  # Coordinates, triangles, how often drawn.


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
    """Measure the surface; None where it has no texture coordinates, or too large ones."""
    per_material: dict[int | None, dict[str, _Mapped]] = {}
    densities, areas = [], []
    triangles = reaching = 0
    for part in parts:
        stored = part.attribute(document, "TEXCOORD_0")
        if stored is None:
            continue
        _add(per_material.setdefault(part.material, {}), part, stored)
        beyond = (stored < 0) | (stored > 1)
        out = beyond[:, 0] | beyond[:, 1]
        a, b, c = part.faces.T
        triangles += len(part.faces)
        reaching += int(np.count_nonzero(out[a] | out[b] | out[c]))
        texture = base_texture(document, part.material)
        size = None if texture is None else _size(document, texture)
        if size is not None and texture is not None:
            moved = placed_uv(document, part, texture)
            if moved is not None:
                for start in range(0, len(part.faces), _ROWS):
                    faces = part.faces[start : start + _ROWS]
                    area = _area(part.points, faces)
                    pixels = _area(moved, faces) * size.prod()
                    sound = (area > 0) & (pixels > 0)
                    densities.append(np.sqrt(pixels[sound] / area[sound]))
                    areas.append(area[sound])
    if not per_material:
        return None
    try:
        found = [_grid(mapped) for mapped in per_material.values()]
    except TooManyPixels:
        return None
    used = [np.count_nonzero(grid) for grid in found]
    shared = [np.count_nonzero(grid > 1) for grid in found]
    return UvFacts(
        coverage=float(np.mean(used) / GRID**2),
        overlap=float(sum(shared) / max(1, sum(used))),
        outside=reaching / triangles,
        texel_density_px_m=_median(densities, areas),
    )


def covered_texels(document: GlbDocument, parts: list[Part], texture: JsonObject) -> Floats | None:
    """Return where on a texture the triangles that show it lie.

    Args:
        document: The document.
        parts: The primitives with a material that shows the texture.
        texture: The material's reference to it (a ``textureInfo``).

    Returns:
        Sample points, 0 to 1, shape (points, 2); None where there are no coordinates.
    """
    mapped: dict[str, _Mapped] = {}
    for part in parts:
        stored = placed_uv(document, part, texture)
        if stored is not None:
            _add(mapped, part, stored)
    if not mapped:
        return None
    try:
        grid = _grid(mapped)
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


def _size(document: GlbDocument, texture: JsonObject) -> Floats | None:
    for image in shown_images(document, texture):
        header = document.images[image].header
        if header.width is not None and header.height is not None:
            return np.array([header.width, header.height], dtype=np.float64)
    return None


def _area(points: Floats, faces: Integers) -> Floats:
    """Areas of triangles in two or three dimensions, shape (triangles,)."""
    a, b, c = (np.ascontiguousarray(points[rows].T) for rows in faces.T)
    first, second = b - a, c - a
    if len(first) == 2:  # noqa: PLR2004  # Dimensions.
        flat: Floats = np.abs(first[0] * second[1] - first[1] * second[0]) / 2
        return flat
    (ax, ay, az), (bx, by, bz) = first, second
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    found: Floats = np.sqrt(x * x + y * y + z * z) / 2
    return found


def _add(mapped: dict[str, _Mapped], part: Part, coordinates: Floats) -> None:
    """Note a part; one that several nodes draw lies on its texture as often."""
    pointer = part.primitive.pointer
    times = mapped[pointer][2] if pointer in mapped else 0
    mapped[pointer] = (coordinates, part.faces, times + 1)


def _grid(mapped: dict[str, _Mapped]) -> Integers:
    """How often each sample is covered, shape (GRID, GRID)."""
    counts = np.zeros(4 * GRID * GRID, dtype=np.int32)
    side, left = 2 * GRID, _MAX_TRIED
    for coordinates, faces, times in mapped.values():
        for start in range(0, len(faces), _TRIANGLES):
            corners = coordinates[faces[start : start + _TRIANGLES]]
            # Whole turns do not matter; a triangle over the border is drawn once, with its low
            # corner in.
            a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
            turns = np.floor(np.minimum(np.minimum(a, b), c) + 1e-9)
            if turns.any():
                corners -= turns[:, None]
            corners *= GRID
            for hits in rasterize(corners, width=side, height=side, max_tried=left):
                left -= hits.tried
                np.add.at(counts, hits.pixels, times)
    folded: Integers = counts.reshape(2, GRID, 2, GRID).sum(axis=(0, 2))
    return folded


def _median(values: list[Floats], weights: list[Floats]) -> float | None:
    """The value at which half of the weight is reached."""
    if not values:
        return None
    value, weight = np.concatenate(values), np.concatenate(weights)
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
