"""Even out a clipped lattice near its outline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Indices, Mask, Points, Sparse
    from server.sandbox.mesh.lattice import FlatMesh
    from server.sandbox.mesh.levelset import LevelSet

__all__ = ["relax", "signed_areas"]

_ROUNDS = 10
_RINGS = 3  # Only nodes this near the outline move; the lattice further in is even already.
_REVERTS = 8
_RIM_SHARE = 0.5  # How far towards the middle of its neighbours a vertex goes in a round.
_NODE_SHARE = 0.6
_REACH = 0.3  # Times the spacing: the longest way back onto the outline.
_LEAST_AREA = 0.02  # Times the area of a lattice triangle.


def relax(mesh: FlatMesh, level: LevelSet, *, spacing: float) -> FlatMesh:
    """Slide vertices so that no sliver remains along the outline.

    Rim vertices slide along the outline towards the middle of their two neighbours; nodes near
    the rim move towards the middle of theirs. Topology and the outline do not change, and where
    sliding would turn a triangle over its corners stay where they were.
    """
    rim_pull = _averaging(_rim_edges(mesh), len(mesh.points))
    edges = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]]])
    node_pull = _averaging(edges, len(mesh.points))
    moving = _near_rim(mesh, node_pull)
    points = mesh.points.copy()
    for _ in range(_ROUNDS):
        slid = _blend(points, rim_pull, mesh.rim, share=_RIM_SHARE)
        points[mesh.rim] = level.onto_outline(slid, reach=_REACH * spacing)
        points[moving] = _blend(points, node_pull, moving, share=_NODE_SHARE)
    return replace(mesh, points=_without_flips(mesh, points, spacing=spacing))


def _blend(points: Points, pull: Sparse, chosen: Mask, *, share: float) -> Points:
    """Move the chosen points part of the way to the means of their neighbours."""
    moved: Points = (1 - share) * points[chosen] + share * (pull @ points)[chosen]
    return moved


def signed_areas(points: Points, triangles: Indices) -> Field:
    """Area of each triangle in square pixels, positive for the lattice's own winding."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    areas: Field = 0.5 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    return areas


def _rim_edges(mesh: FlatMesh) -> Indices:
    """Edges between two rim vertices; by construction all of them lie on the outline."""
    tri = mesh.triangles
    edges = np.concatenate([tri[:, [0, 1]], tri[:, [1, 2]], tri[:, [2, 0]]])
    along: Indices = edges[mesh.rim[edges].all(axis=1)]
    return along


def _averaging(edges: Indices, count: int) -> Sparse:
    """Build the matrix that takes each vertex to the mean of its neighbours."""
    both = np.concatenate([edges, edges[:, ::-1]])
    links = sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    links.data[:] = 1.0  # An edge inside the region was met from both of its sides.
    degree = np.asarray(links.sum(axis=1)).ravel()
    return sparse.diags_array(1 / np.maximum(degree, 1)) @ links


def _near_rim(mesh: FlatMesh, pull: Sparse) -> Mask:
    reached = mesh.rim.astype(np.float64)
    for _ in range(_RINGS):
        reached = np.maximum(reached, pull @ reached > 0)
    return (reached > 0) & ~mesh.rim


def _without_flips(mesh: FlatMesh, points: Points, *, spacing: float) -> Points:
    """Put back the corners of triangles that became flat or turned over."""
    least = _LEAST_AREA * spacing**2 * np.sqrt(3) / 4
    original = signed_areas(mesh.points, mesh.triangles)
    floor = np.minimum(least, original * 0.5)
    for _ in range(_REVERTS):
        bad = signed_areas(points, mesh.triangles) < floor
        if not bad.any():
            return points
        corners = np.unique(mesh.triangles[bad])
        points[corners] = mesh.points[corners]
    return mesh.points
