"""Simplify one mesh of positions, attributes and triangles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import extent
from asset_processing.native import Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from asset_processing.accessors import Floats, Integers

__all__ = ["Attribute", "Simplified", "Simplifier", "Yielding"]

_NONE = 0xFFFFFFFF


class Yielding(Enum):
    """What may be given up to meet a budget, one after the other and only when stuck."""

    STRICT = 0  # Nothing: seams, borders, pinned and non-manifold vertices and topology stay.
    CARRYING = 1  # A side of a seam may leave its chart's border.
    LOOSE = 2  # Triangles may turn over; pinned and non-manifold vertices may go.
    SCATTERED = 3  # The smallest separate parts may vanish, and the surface may pinch.


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of every vertex.

    Attributes:
        values: Shape (vertices, components).
        weight: What a difference of 1 counts for, as a length in units of the mesh's extent.
    """

    values: Floats
    weight: float


@dataclass(frozen=True, slots=True)
class Simplified:
    """A mesh with fewer triangles.

    Attributes:
        positions: Shape (vertices, 3).
        attributes: As they were given, in that order, each of shape (vertices, components).
        triangles: Shape (triangles, 3), indices of these vertices, turned as they were.
        source: For each vertex the index of the vertex that it was, rising.
    """

    positions: Floats
    attributes: tuple[Floats, ...]
    triangles: Integers
    source: Integers


class Simplifier:
    """A mesh on its way down: each `reduce` starts from what the last one left.

    Args:
        positions: Shape (vertices, 3), finite. Vertices at the same place to the last bit of
            float32 are one place of the surface with several sides of a seam.
        triangles: Shape (triangles, 3), indices below the number of vertices.
        attributes: What else shall be kept; 24 components at most.
        uv: Which of the attributes are texture coordinates that must not turn over.
        pinned: Vertices whose places must stay where they are.
    """

    def __init__(
        self,
        positions: Floats,
        triangles: Integers,
        attributes: Sequence[Attribute] = (),
        *,
        uv: int | None = None,
        pinned: Integers | None = None,
    ) -> None:
        if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(positions)):
            raise ValueError("A triangle names a vertex that does not exist.")
        low, high = extent(positions)
        self._center = (low + high) / 2
        self._extent = float((high - low).max()) or 1.0
        self._widths = [attribute.values.shape[1] for attribute in attributes]
        self._weights = [attribute.weight for attribute in attributes]
        self._instance = instance = Instance("simplify")
        width = sum(self._widths)
        first = _NONE if uv is None else sum(self._widths[:uv])
        instance.call("create", len(positions), len(triangles), width, first)
        self._stride = instance.call("attribute_stride")
        count = len(positions)
        instance.array("positions", (count, 3), "<f4")[:] = (
            positions - self._center
        ) / self._extent
        stored = instance.array("attributes", (count, self._stride), "<f4")
        start = 0
        for attribute in attributes:
            end = start + attribute.values.shape[1]
            stored[:, start:end] = attribute.values * attribute.weight
            start = end
        instance.array("triangles", (len(triangles), 3), "<u4")[:] = triangles
        if pinned is not None:
            instance.array("pins", (count,), "u1")[pinned] = 1
        instance.call("prepare")

    @property
    def triangle_count(self) -> int:
        """Triangles left."""
        return self._instance.call("triangle_count")

    @property
    def vertex_count(self) -> int:
        """Vertices left, seams counted as often as they are stored."""
        return self._instance.call("vertex_count")

    def reduce(
        self,
        *,
        max_triangles: int | None = None,
        max_vertices: int | None = None,
        moving: bool = True,
        yielding: Yielding = Yielding.SCATTERED,
    ) -> int:
        """Collapse edges until both budgets are met or nothing else can go.

        Args:
            max_triangles: At most so many triangles.
            max_vertices: At most so many vertices.
            moving: Place what is left where the error is least, attributes too; otherwise every
                vertex that is left is one that was given.
            yielding: How much is given up where the budgets cannot be met without.

        Returns:
            How many triangles are left.
        """
        return self._instance.call(
            "reduce",
            _NONE if max_triangles is None else max_triangles,
            _NONE if max_vertices is None else max_vertices,
            int(moving),
            yielding.value,
        )

    def result(self) -> Simplified:
        """Return the mesh as it is now."""
        instance = self._instance
        vertices, faces = self.vertex_count, self.triangle_count
        source = instance.array("source", (vertices,), "<u4").astype(np.int64)
        # The module numbers vertices along a curve through space.
        order = np.argsort(source)
        numbers = np.empty_like(order)
        numbers[order] = np.arange(vertices)
        stored = instance.array("attributes", (vertices, self._stride), "<f4")[order]
        ends = np.cumsum([0, *self._widths])
        return Simplified(
            positions=self._read("positions", (vertices, 3))[order] * self._extent + self._center,
            attributes=tuple(
                stored[:, start:end].astype(np.float64) / weight
                for start, end, weight in zip(ends, ends[1:], self._weights, strict=False)
            ),
            triangles=numbers[instance.array("triangles", (faces, 3), "<u4")],
            source=source[order],
        )

    def _read(self, name: str, shape: tuple[int, int]) -> NDArray[np.float64]:
        return self._instance.array(name, shape, "<f4").astype(np.float64)
