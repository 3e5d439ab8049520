"""Which texels a surface covers in its texture space, and where on the surface each one lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing.accessors import Floats, Integers

__all__ = ["Texels", "rasterise"]

_CHUNK = 4_000_000  # Texels looked at together: about 300 MB.
_EDGE = 1e-6  # A texel's centre on an edge belongs to both sides.


@dataclass(frozen=True, slots=True)
class Texels:
    """Covered texels, each once.

    Attributes:
        index: Row times width plus column, rising; the first row is v = 0.
        face: The triangle that covers its centre; the last one where several do.
        weights: Barycentric coordinates there, shape (texels, 3).
    """

    index: Integers
    face: Integers
    weights: Floats


def rasterise(coordinates: Floats, triangles: Integers, *, width: int, height: int) -> Texels:
    """Find the texels whose centres lie in a triangle.

    Args:
        coordinates: Texture coordinates of each vertex, shape (vertices, 2); what lies outside of
            the unit square is not drawn.
        triangles: Shape (triangles, 3).
        width: Texels in a row.
        height: Rows.
    """
    corners = coordinates[triangles] * (width, height)
    face = np.full(width * height, -1, dtype=np.int32)
    weights = np.zeros((width * height, 2), dtype=np.float32)
    for index, faces, found in _covered(corners, width, height):
        face[index] = faces
        weights[index] = found
    covered = np.flatnonzero(face >= 0)
    pair = weights[covered].astype(np.float64)
    return Texels(
        index=covered,
        face=face[covered].astype(np.int64),
        weights=np.column_stack([1 - pair.sum(axis=1), pair]),
    )


def _covered(
    corners: Floats, width: int, height: int
) -> Iterator[tuple[Integers, Integers, Floats]]:
    """Yield texels, their triangles and the weights of the second and third corner."""
    low = np.ceil(corners.min(axis=1) - 0.5 - _EDGE).astype(np.int64).clip(0)
    high = np.floor(corners.max(axis=1) - 0.5 + _EDGE).astype(np.int64)
    size = (np.minimum(high, (width - 1, height - 1)) - low + 1).clip(0)
    area = size.prod(axis=1)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    doubled = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    area[doubled == 0] = 0
    total = np.cumsum(area)
    start = 0
    while start < len(area):
        stop = max(
            start + 1,
            int(np.searchsorted(total, (total[start - 1] if start else 0) + _CHUNK, "right")),
        )
        faces = np.repeat(np.arange(start, stop), area[start:stop])
        offset = np.arange(len(faces)) - np.repeat(
            total[start:stop] - area[start:stop] - (total[start - 1] if start else 0),
            area[start:stop],
        )
        column = low[faces, 0] + offset % size[faces, 0]
        row = low[faces, 1] + offset // size[faces, 0]
        x = column + 0.5 - corners[faces, 0, 0]
        y = row + 0.5 - corners[faces, 0, 1]
        one = (x * second[faces, 1] - y * second[faces, 0]) / doubled[faces]
        two = (y * first[faces, 0] - x * first[faces, 1]) / doubled[faces]
        inside = (one >= -_EDGE) & (two >= -_EDGE) & (one + two <= 1 + _EDGE)
        pair = np.column_stack([one[inside], two[inside]]).clip(0, 1)
        yield row[inside] * width + column[inside], faces[inside], pair
        start = stop
