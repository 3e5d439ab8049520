"""How the surface hangs together, measured on vertices welded by position.

A textured file stores a vertex once for each side of a UV seam, so that unwelded every seam is an
open edge and nothing is watertight. Welded here means: the same place in the world, to the last
bit of float32.

Written with numpy and scipy's connected components: 0.3 s on 400,000 triangles, and 0.4 s for the
first import of scipy. trimesh's properties take 0.5 s for half of the figures and call a surface
open where a triangle without area touches it; the tests compare the two where they must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing._rows import equal_rows
from asset_processing.geometry import drawn, moved, posed
from asset_processing.primitives import stored_triangles
from asset_processing.skinning import Rig

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["MAX_TRIANGLES", "Topology", "measure_topology", "weld"]

MAX_TRIANGLES = 2_000_000
"""Above this the topology is not measured: 1.5 s and 600 MB."""


_CHUNK = 1 << 14  # Triangles at once: they fit into the processor's cache.
_MAX_COPIES = 20_000  # Placed one by one; 1 s.


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The surface of the default scene, in metres; all its triangles, welded by position.

    Attributes:
        components: Parts that share no vertex with one another.
        watertight: Every edge has exactly two triangles.
        degenerate_faces: Triangles without area.
        duplicate_faces: Triangles on the same three vertices as an earlier one.
        boundary_edges: Edges of one triangle.
        non_manifold_edges: Edges of more than two triangles.
        surface_area_m2: Sum of the triangles' areas; None where that is not a finite number.
        volume_m3: Enclosed volume; None unless watertight with all triangles turned alike.
    """

    components: int
    watertight: bool
    degenerate_faces: int
    duplicate_faces: int
    boundary_edges: int
    non_manifold_edges: int
    surface_area_m2: float | None
    volume_m3: float | None


def measure_topology(
    document: GlbDocument, *, max_triangles: int = MAX_TRIANGLES
) -> Topology | None:
    """Measure the default scene in its rest pose.

    Args:
        document: The document.
        max_triangles: How many to measure at most.

    Returns:
        None where that cannot be measured: no triangles, compressed vertices, or too many.
    """
    soup = _triangles_in_world(document, max_triangles)
    if soup is None:
        return None
    vertices, faces = soup
    return _measure(vertices, faces)


def _triangles_in_world(
    document: GlbDocument, max_triangles: int
) -> tuple[Floats, Integers] | None:
    """All vertices and triangles of the default scene, each instance for itself."""
    points: list[Floats] = []
    faces: list[Integers] = []
    rig = Rig(document)
    triangle_total = vertex_total = copies = 0
    for draw, primitive in drawn(document):
        if primitive.compressed:
            return None
        triangles = stored_triangles(document, primitive)
        if not len(triangles):
            continue
        stored, matrices = posed(document, draw, primitive, rig)
        triangle_total += len(triangles) * len(matrices)
        copies += len(matrices)
        if (
            triangle_total > max_triangles
            or copies > _MAX_COPIES
            or vertex_total > 3 * MAX_TRIANGLES
        ):
            return None
        for matrix in matrices:
            points.append(moved(stored, matrix))
            mirrored = np.linalg.det(matrix[:3, :3]) < 0
            faces.append(vertex_total + (triangles[:, ::-1] if mirrored else triangles))
            vertex_total += len(stored)
    return (np.concatenate(points), np.concatenate(faces)) if faces else None


def weld(points: Floats) -> tuple[Floats, Integers]:
    """Return the distinct places in the order they appear, and for each point which it is.

    Places are compared as float32, where -0 is 0.
    """
    with np.errstate(over="ignore"):
        first = equal_rows([points.astype(np.float32) + np.float32(0)])
    distinct = first == np.arange(len(first))
    if distinct.all():
        return points, first
    return points[distinct], (np.cumsum(distinct) - 1)[first]


def _measure(points: Floats, triangles: Integers) -> Topology:
    vertices, labels = weld(points)
    faces = labels[triangles]
    degenerate, area, signed = _areas(vertices, faces)
    # A sliver of three places still holds its neighbours together; one of two places does not.
    a, b, c = faces.T
    distinct = (a != b) & (b != c) & (c != a)
    sound = faces if distinct.all() else faces[distinct]
    edges = _edges(sound, len(vertices))
    once, twice, often, alike = _sides(edges)
    closed = twice > 0 and not once and not often
    components = _components(edges, len(vertices))
    del edges
    return Topology(
        components=components,
        watertight=closed,
        degenerate_faces=degenerate,
        duplicate_faces=_duplicates(sound, len(vertices)),
        boundary_edges=once,
        non_manifold_edges=often,
        surface_area_m2=_finite(area),
        volume_m3=_finite(abs(signed)) if closed and alike else None,
    )


def _areas(vertices: Floats, faces: Integers) -> tuple[int, float, float]:
    """Return how many triangles have no area, all their area, and the signed volume below them."""
    flat, doubled, signed = 0, 0.0, 0.0
    with np.errstate(all="ignore"):
        for start in range(0, len(faces), _CHUNK):
            # Coordinate by coordinate: numpy is slow along short axes.
            corners = [vertices[rows].T for rows in faces[start : start + _CHUNK].T]
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (np.ascontiguousarray(p) for p in corners)
            bx, by, bz, cx, cy, cz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
            x, y, z = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
            lengths = np.sqrt(x * x + y * y + z * z)
            flat += int(np.count_nonzero(~(lengths > 0)))
            doubled += float(lengths.sum())
            signed += float((ax * x + ay * y + az * z).sum())
    return flat, doubled / 2, signed / 6


def _edges(faces: Integers, vertices: int) -> Integers:
    """Return twice a key for each triangle's sides, plus which way each runs, in rising order."""
    packed = np.empty((3, len(faces)), np.int64)
    for row in range(3):
        starts, ends = faces[:, row], faces[:, (row + 1) % 3]
        key = packed[row]
        np.minimum(starts, ends, out=key)
        key *= vertices
        key += np.maximum(starts, ends)
        key *= 2
        key += starts < ends
    edges = packed.reshape(-1)
    edges.sort()
    return edges


def _sides(edges: Integers) -> tuple[int, int, int, bool]:
    """Count the edges with one side, with two and with more.

    The last of the four tells whether sides that follow one another in pairs run opposite ways.
    """
    if not len(edges):
        return 0, 0, 0, False
    # Neighbours of one edge differ in nothing but the lowest bit.
    new = np.empty(len(edges) + 1, np.bool_)
    new[0] = new[-1] = True
    np.greater(edges[1:] ^ edges[:-1], 1, out=new[1:-1])
    counts = np.diff(np.flatnonzero(new))
    once, twice = (int(np.count_nonzero(counts == number)) for number in (1, 2))
    pairs = edges[: len(edges) // 2 * 2]
    alike = bool(((pairs[::2] ^ pairs[1::2]) & 1).all())
    return once, twice, len(counts) - once - twice, alike


def _duplicates(faces: Integers, vertices: int) -> int:
    a, b, c = faces.T
    least, most = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    middle = a + b + c - least - most
    if vertices**3 < np.iinfo(np.int64).max:
        keys = (least * vertices + middle) * vertices + most
        keys.sort()
        return int(np.count_nonzero(keys[1:] == keys[:-1]))
    first = equal_rows([np.stack([least, middle, most], axis=1)])
    return int(np.count_nonzero(first != np.arange(len(first))))


def _components(edges: Integers, vertices: int) -> int:
    """Count the parts among the vertices that edges, as of `_edges`, join."""
    from scipy.sparse import csr_array  # noqa: PLC0415  # 0.2 s that most callers need not pay.
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not len(edges):
        return 0
    lower, upper = np.divmod(edges >> 1, vertices)
    # The edges are in order already: these are the rows of a sparse matrix.
    rows = np.searchsorted(lower, np.arange(vertices + 1)).astype(np.int32)
    columns = upper.astype(np.int32)
    graph = csr_array((np.ones(len(columns), np.int8), columns, rows), shape=(vertices, vertices))
    parts, _ = connected_components(graph, directed=False)
    used = np.zeros(vertices, np.bool_)
    used[lower] = used[upper] = True
    return int(parts) - (vertices - int(np.count_nonzero(used)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
