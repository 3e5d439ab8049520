"""Fewer triangles, within a budget, with seams, materials, skins and morph targets kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import extent
from asset_processing.operations._joined import JoinedMesh
from asset_processing.simplifier import farthest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing.document import GlbDocument

__all__ = ["Reduction", "Simplified", "describe", "simplify"]

_SAMPLES = 4096
_SMALLEST = 12  # A mesh's share is at least so many triangles, as a box has, where it had them.
_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Simplified:
    """What a simplification did.

    Attributes:
        triangles_before: Triangles of all meshes.
        triangles: What is left.
        vertices_before: Vertices as stored.
        vertices: What is left.
        primitives_gone: Primitives that had no triangle left and went.
        distance: Largest distance from the new surface among 4,096 vertices of the old one, spread
            evenly over each mesh's list, as a fraction of that mesh's diagonal.
    """

    triangles_before: int
    triangles: int
    vertices_before: int
    vertices: int
    primitives_gone: int
    distance: float


class Reduction:
    """The meshes of a document on their way down; each step starts from the last one.

    Args:
        document: Read once, not changed, and needed as long as this lives.

    Raises:
        UnsupportedGlb: Vertices are compressed.
        InvalidGlb: A position is not finite, or an index names no vertex.
    """

    def __init__(self, document: GlbDocument) -> None:
        meshes = (
            JoinedMesh(document, mesh) for mesh in range(len(document.json.get("meshes", [])))
        )
        self._meshes = [mesh for mesh in meshes if not mesh.is_empty]
        self.triangles_before = self.triangle_count
        self.vertices_before = self.vertex_count

    @property
    def triangle_count(self) -> int:
        """Triangles of all meshes now, each mesh counted once."""
        return sum(mesh.triangle_count for mesh in self._meshes)

    @property
    def vertex_count(self) -> int:
        """Their vertices now, seams counted as often as they are stored."""
        return sum(mesh.vertex_count for mesh in self._meshes)

    def reduce(self, *, max_triangles: int | None = None, max_vertices: int | None = None) -> None:
        """Collapse edges until the budgets are met, or nothing else can go.

        The meshes share a budget in proportion to what they have; what one of them cannot give,
        the others do.
        """
        for _ in range(_ROUNDS):
            triangles = _shares([mesh.triangle_count for mesh in self._meshes], max_triangles)
            vertices = _shares([mesh.vertex_count for mesh in self._meshes], max_vertices)
            before = self.triangle_count + self.vertex_count
            for mesh, goal, limit in zip(self._meshes, triangles, vertices, strict=True):
                mesh.reduce(max_triangles=goal, max_vertices=limit)
            if self.triangle_count + self.vertex_count == before:
                return

    def write(self, document: GlbDocument) -> int:
        """Put what is left into a document that is as the one that was read.

        Returns:
            How many primitives had no triangle left and went.
        """
        return sum(mesh.write(document) for mesh in self._meshes if mesh.was_reduced)

    @property
    def meshes(self) -> frozenset[int]:
        """Indices of the meshes that have triangles."""
        return frozenset(mesh.mesh for mesh in self._meshes)

    def write_mesh(self, document: GlbDocument, mesh: int, *, into: int) -> None:
        """Put what is left of one mesh into another one that has the same primitives."""
        found = next(each for each in self._meshes if each.mesh == mesh)
        if found.was_reduced:
            found.write(document, into=into)

    def distance(self) -> float:
        """Return how far the old surface is from the new one; see `Simplified`."""
        return max((_distance(mesh) for mesh in self._meshes if mesh.was_reduced), default=0.0)


def simplify(
    document: GlbDocument, *, max_triangles: int | None = None, max_vertices: int | None = None
) -> Simplified | None:
    """Reduce a document's meshes until both budgets are met.

    Triangles are counted as stored, vertices as the GPU stores them. The extents of every mesh
    stay, and so do nodes, materials, textures and animations. A mesh with a skin or morph targets
    keeps a part of its own vertices with all they carry; the others' vertices are placed anew.
    Strips and fans become triangles, lines and points stay.

    Args:
        document: Changed in place.
        max_triangles: At most so many; None for any number.
        max_vertices: At most so many; None for any number.

    Returns:
        What was done; None where the budgets were met already. A budget that cannot be met, since
        something must be left of each mesh, shows in the counts.

    Raises:
        UnsupportedGlb: Vertices are compressed.
        InvalidGlb: A position is not finite, or an index names no vertex.
    """
    reduction = Reduction(document)
    if _met(reduction.triangle_count, max_triangles) and _met(reduction.vertex_count, max_vertices):
        return None
    reduction.reduce(max_triangles=max_triangles, max_vertices=max_vertices)
    return Simplified(
        triangles_before=reduction.triangles_before,
        triangles=reduction.triangle_count,
        vertices_before=reduction.vertices_before,
        vertices=reduction.vertex_count,
        distance=reduction.distance(),
        primitives_gone=reduction.write(document),
    )


def describe(done: Simplified) -> str:
    """Say for people what a simplification did."""
    gone = done.primitives_gone
    vanished = f" {gone} primitives had no triangle left and are gone." if gone else ""
    return (
        f"{done.triangles_before:,} triangles became {done.triangles:,}, {done.vertices_before:,} "
        f"vertices {done.vertices:,}; the old surface is at most {done.distance:.3%} of the "
        f"diagonal away from the new one.{vanished}"
    )


def _met(count: int, budget: int | None) -> bool:
    return budget is None or count <= budget


def _shares(counts: Sequence[int], budget: int | None) -> list[int | None]:
    """Divide a budget among meshes in proportion to what they have, small ones spared."""
    if budget is None or sum(counts) <= budget:
        return [None] * len(counts)
    least = [min(count, _SMALLEST) for count in counts]
    if sum(least) > budget:
        least = [1] * len(counts)
    spare, excess = budget - sum(least), sum(counts) - sum(least)
    return [
        max(low + max(spare, 0) * (count - low) // max(excess, 1), 1)
        for low, count in zip(least, counts, strict=True)
    ]


def _distance(mesh: JoinedMesh) -> float:
    positions, _ = mesh.source
    result = mesh.result()
    low, high = extent(positions)
    diagonal = float(np.linalg.norm(high - low))
    if not diagonal:
        return 0.0
    step = max(len(positions) // _SAMPLES, 1)
    found = farthest(positions[::step], positions=result.positions, triangles=result.triangles)
    return found / diagonal
