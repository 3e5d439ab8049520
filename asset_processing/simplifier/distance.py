"""How far points are from a surface, by the compiled module: no scipy to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.accessors import extent
from asset_processing.native import Instance

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers

__all__ = ["farthest"]


def farthest(points: Floats, *, positions: Floats, triangles: Integers) -> float:
    """Return the largest distance of any of some points from a surface.

    Exact but for float32, in which it is computed relative to the surface's extent: the nearest
    triangle is found in a tree of boxes, and a point that is nearer than the farthest so far is
    not followed further.

    Args:
        points: Shape (points, 3); none gives 0.
        positions: The surface's vertices, shape (vertices, 3).
        triangles: Shape (triangles, 3), indices of `positions`.

    Raises:
        ValueError: There is no triangle, or one names a vertex that does not exist.
    """
    if not len(triangles):
        raise ValueError("There is no triangle to be far from.")
    if triangles.min() < 0 or triangles.max() >= len(positions):
        raise ValueError("A triangle names a vertex that does not exist.")
    low, high = extent(positions)
    center, size = (low + high) / 2, float((high - low).max()) or 1.0
    instance = Instance("simplify")
    instance.call("create_distance", len(positions), len(triangles), len(points))
    instance.array("positions", positions.shape, "<f4")[:] = (positions - center) / size
    instance.array("points", points.shape, "<f4")[:] = (points - center) / size
    instance.array("triangles", triangles.shape, "<u4")[:] = triangles
    return instance.measure("distance") * size
