"""Triangulate the inside of an outline on a lattice of equilateral triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from server.sandbox.errors import PictureError
from server.sandbox.mesh.levelset import LevelSet

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Indices, Mask, Points

__all__ = ["MAX_VERTICES", "MIN_VERTICES", "FlatMesh", "choose_spacing", "triangulate"]

MIN_VERTICES = 300
MAX_VERTICES = 1_000_000

_ROW = np.sqrt(3) / 2  # Height of an equilateral triangle of side 1.
_SEARCH_ROUNDS = 24
_CLOSE_ENOUGH = 0.004
_CORNERS = 3
_LEAST_NODES = 4  # A piece with fewer nodes off the rim is a fragment.
_ON_NODE = 0.02  # Crossings keep this part of an edge away from its ends: no empty triangle.
_FINEST = 0.05  # Pixels between nodes, at least.


@dataclass(frozen=True, slots=True)
class FlatMesh:
    """A triangulated region of the plane.

    Attributes:
        points: (n, 2) in pixels, y down.
        triangles: (m, 3), clockwise as seen on screen.
        rim: (n,) true for the vertices on the outline.
    """

    points: Points
    triangles: Indices
    rim: Mask


def choose_spacing(coverage: Field, *, vertices: int) -> float:
    """Find the lattice spacing, in pixels, that gives a closed mesh of about `vertices` vertices.

    Two sheets share the rim: nodes inside count twice, crossings of the outline once.
    """
    wanted = min(max(vertices, MIN_VERTICES), MAX_VERTICES)
    low, high = _FINEST, float(max(coverage.shape))
    spacing = float(np.sqrt(2 * (coverage > 0.5).sum() / (_ROW * wanted)))  # noqa: PLR2004
    level = LevelSet.from_coverage(coverage, spacing=spacing)
    for _ in range(_SEARCH_ROUNDS):
        found = _count_vertices(level, spacing)
        if abs(found / wanted - 1) < _CLOSE_ENOUGH:
            break
        low, high = (spacing, high) if found > wanted else (low, spacing)
        guess = spacing * np.sqrt(max(found, 1) / wanted)
        spacing = guess if low < guess < high else (low + high) / 2
    return spacing


def triangulate(level: LevelSet, *, spacing: float) -> FlatMesh:
    """Cut the lattice along the outline.

    A triangle with one or two nodes inside keeps the part inside, between exact crossings. Every
    inner edge then has at least one end off the outline, so that two sheets glued along the rim
    always form a manifold, whatever the mask looks like.

    Raises:
        PictureError: The outline is finer than the lattice.
    """
    nodes = _lattice(level, spacing)
    values = level.at(nodes).ravel()
    corners = _triangles(nodes.shape[0], nodes.shape[1])
    inside = values > 0
    corners = corners[inside[corners].any(axis=1)]
    if not len(corners):
        raise PictureError("The subject of the image is too thin to become a mesh.")
    return _without_fragments(_clip(nodes.reshape(-1, 2), values, corners))


def _lattice(level: LevelSet, spacing: float) -> Points:
    """Lay out (rows, columns, 2) nodes; odd rows are shifted by half a spacing."""
    height, width = level.values.shape
    rows = int(np.ceil(height / (spacing * _ROW))) + 1
    columns = int(np.ceil(width / spacing)) + 2
    j, i = np.mgrid[:rows, :columns]
    return np.stack([(i - 0.5 + 0.5 * (j % 2)) * spacing, j * spacing * _ROW], axis=-1)


def _triangles(rows: int, columns: int) -> Indices:
    """Number the lattice's triangles; all turn the same way."""
    node = np.arange(rows * columns).reshape(rows, columns)
    a, b = node[:-1, :-1], node[:-1, 1:]
    c, d = node[1:, :-1], node[1:, 1:]
    odd = (np.arange(rows - 1) % 2 == 1)[:, None]
    first = np.stack([a, b, np.where(odd, d, c)], axis=-1)
    second = np.stack([np.where(odd, a, b), d, c], axis=-1)
    return np.concatenate([first.reshape(-1, _CORNERS), second.reshape(-1, _CORNERS)])


def _count_vertices(level: LevelSet, spacing: float) -> int:
    """Count what `triangulate` would make, without making it."""
    inside = level.at(_lattice(level, spacing)) > 0
    up, down = inside[:-1], inside[1:]
    odd = (np.arange(len(up)) % 2 == 1)[:, None]
    slanted = np.where(odd, up[:, :-1] != down[:, 1:], up[:, 1:] != down[:, :-1])
    crossings = (inside[:, 1:] != inside[:, :-1]).sum() + (up != down).sum() + slanted.sum()
    return int(2 * inside.sum() + crossings)


def _clip(nodes: Points, values: Field, corners: Indices) -> FlatMesh:
    """Cut triangles that straddle the outline and number what remains anew."""
    inside = values > 0
    count = inside[corners].sum(axis=1)
    # Turn each straddling triangle so that its odd one out comes first; the winding stays.
    single = _rotated(corners[count == 1], inside[corners[count == 1]])
    double = _rotated(corners[count == 2], ~inside[corners[count == 2]])  # noqa: PLR2004
    cut = np.concatenate(
        [single[:, [0, 1]], single[:, [0, 2]], double[:, [0, 1]], double[:, [0, 2]]]
    )
    edges, number = np.unique(np.sort(cut, axis=1), axis=0, return_inverse=True)
    crossing = number.reshape(-1) + len(nodes)
    s, d = len(single), len(double)
    one, two = crossing[:s], crossing[s : 2 * s]
    three, four = crossing[2 * s : 2 * s + d], crossing[2 * s + d :]
    triangles = np.concatenate(
        [
            corners[count == _CORNERS],
            np.stack([single[:, 0], one, two], axis=1),
            np.stack([three, double[:, 1], double[:, 2]], axis=1),
            np.stack([three, double[:, 2], four], axis=1),
        ]
    )
    points = np.concatenate([nodes, _crossings(nodes, values, edges)])
    rim = np.arange(len(points)) >= len(nodes)
    return _compact(FlatMesh(points=points, triangles=triangles, rim=rim))


def _rotated(corners: Indices, first: Mask) -> Indices:
    """Rotate each triangle so that its only marked corner comes first."""
    start = first.argmax(axis=1)[:, None]
    return np.take_along_axis(corners, (start + np.arange(_CORNERS)) % _CORNERS, axis=1)


def _crossings(nodes: Points, values: Field, edges: Indices) -> Points:
    start, end = values[edges[:, 0]], values[edges[:, 1]]
    part = np.clip(start / (start - end), _ON_NODE, 1 - _ON_NODE)[:, None]
    return nodes[edges[:, 0]] * (1 - part) + nodes[edges[:, 1]] * part


def _without_fragments(mesh: FlatMesh) -> FlatMesh:
    """Drop pieces that are too small for the lattice to give them a shape."""
    n = len(mesh.points)
    tri = mesh.triangles
    graph = sparse.coo_array(
        (np.ones(2 * len(tri)), (np.r_[tri[:, 0], tri[:, 1]], np.r_[tri[:, 1], tri[:, 2]])),
        shape=(n, n),
    )
    _, piece = csgraph.connected_components(graph, directed=False)
    nodes = np.bincount(piece, weights=~mesh.rim)
    kept = nodes >= min(_LEAST_NODES, nodes.max())
    return _compact(
        FlatMesh(points=mesh.points, triangles=tri[kept[piece[tri[:, 0]]]], rim=mesh.rim)
    )


def _compact(mesh: FlatMesh) -> FlatMesh:
    """Drop the points that no triangle uses."""
    used = np.zeros(len(mesh.points), dtype=bool)
    used[mesh.triangles] = True
    number = np.cumsum(used) - 1
    return FlatMesh(points=mesh.points[used], triangles=number[mesh.triangles], rim=mesh.rim[used])
