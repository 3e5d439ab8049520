"""Shapes for a physics engine: a box, the convex hull, or several convex parts.

The parts are found by V-HACD (`vhacdx`, MIT) or CoACD (`coacd`, MIT) on a proxy: a collision
shape does not see detail below a hundredth of the model's size, and neither library is fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.collision_options import (
    CollisionKind,
    CollisionOptions,
    DecompositionMethod,
)
from asset_processing.errors import InvalidOption, UnsupportedGlb
from asset_processing.geometry import bounds_of
from asset_processing.surface import Unreadable, read_surface, soup
from asset_processing.survey import weld

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["Shape", "collision_shapes", "convex_hull", "decompose", "proxy_of"]

MAX_TRIANGLES = 4_000_000
PROXY_TRIANGLES = 20_000
_PART_VERTICES = 64  # What Unreal and Jolt take for one convex part without thinning it.
_RESOLUTION = 100_000  # Voxels: 16 parts in 1.3 s.
_LONGEST_SIDE = 1 / 16  # Of the model's size.
_CONVEX = 0.98  # Of the hull's volume: what encloses more is as good as convex.
_DENT = 0.01  # Of the longest side: how deep no triangle of a convex model lies.
_ROWS = 512  # Triangles compared with every side of the hull at once.
_FLAT = 1e-7  # Of the diagonal: thinner has no volume that a hull could be made of.
_THICKNESS = 1e-3  # Of the diagonal: what a flat shape is given.


@dataclass(frozen=True, slots=True)
class Shape:
    """A convex part.

    Attributes:
        points: Its corners in the world, in metres, shape (vertices, 3).
        faces: Its triangles, counter-clockwise from outside, shape (triangles, 3).
    """

    points: Floats
    faces: Integers


def collision_shapes(document: GlbDocument, options: CollisionOptions) -> list[Shape]:
    """Return the shapes for what the default scene draws in its rest pose.

    The same document and options give the same shapes. What is flat gets a thickness of a
    thousandth of the diagonal.

    Raises:
        UnsupportedGlb: The triangles cannot be read.
        InvalidOption: CoACD was asked for and is not installed.
    """
    if options.kind is CollisionKind.BOX:
        bounds = bounds_of(document)
        return [_box(np.array([bounds.min, bounds.max]))]
    try:
        points, faces = soup(read_surface(document, max_triangles=MAX_TRIANGLES))
    except Unreadable as exc:
        raise UnsupportedGlb(f"No collision shape can be made of this model: {exc}.") from exc
    if options.kind is CollisionKind.CONVEX_HULL:
        return [convex_hull(points)]
    return decompose(points, faces, max_parts=options.max_parts, method=options.method)


def convex_hull(points: Floats) -> Shape:
    """Return the convex hull, with all triangles turned outward; a thin box where it is flat."""
    from scipy.spatial import ConvexHull, QhullError  # noqa: PLC0415  # Half a second.

    points = weld(points)[0]
    diagonal = np.linalg.norm(np.ptp(points, axis=0))
    if len(points) < 4 or np.ptp(points, axis=0).min() <= _FLAT * diagonal:  # noqa: PLR2004
        return _box(points)
    try:
        hull = ConvexHull(points)
    except QhullError:
        return _box(points)  # Flat, but not along an axis.
    corners = points[hull.simplices]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normals * hull.equations[:, :3]).sum(axis=1) < 0
    faces = np.where(inward[:, None], hull.simplices[:, ::-1], hull.simplices)
    used, places = np.unique(faces, return_inverse=True)
    return Shape(points[used], places.reshape(-1, 3).astype(np.int64))


def decompose(
    points: Floats, faces: Integers, *, max_parts: int, method: DecompositionMethod
) -> list[Shape]:
    """Return at most ``max_parts`` convex parts that together follow the surface.

    Args:
        points: Shape (vertices, 3).
        faces: Shape (triangles, 3).
        max_parts: At least 1.
        method: Which library to ask.

    Raises:
        InvalidOption: The library is not installed.
    """
    whole = convex_hull(points)
    flat = np.ptp(points, axis=0).min() <= _THICKNESS * np.linalg.norm(np.ptp(points, axis=0))
    if max_parts == 1 or flat:
        return [whole]
    points, faces = proxy_of(points, faces, max_triangles=PROXY_TRIANGLES)
    if len(faces) < 4:  # noqa: PLR2004  # Fewer enclose nothing.
        return [whole]
    middle, size = points.mean(axis=0), float(np.ptp(points, axis=0).max())
    find = _vhacd if method is DecompositionMethod.VHACD else _coacd
    points, faces = _finer((points - middle) / size, faces)
    if _is_convex(points, faces):
        return [whole]
    found = find(points, faces, max_parts)
    # Each is hulled again: the libraries do not promise which way the triangles turn.
    parts = [convex_hull(part * size + middle) for part in found if len(part)]
    return parts or [whole]


def proxy_of(points: Floats, faces: Integers, *, max_triangles: int) -> tuple[Floats, Integers]:
    """Return a coarser surface by merging what lies in one cell of an ever coarser grid."""
    points, labels = weld(points)
    faces = _sound(labels[faces])
    cells = 512
    low, size = points.min(axis=0), float(np.ptp(points, axis=0).max()) or 1.0
    while len(faces) > max_triangles:
        cell = np.minimum((points - low) * (cells / size), cells - 1).astype(np.int64)
        keys = (cell[:, 0] * cells + cell[:, 1]) * cells + cell[:, 2]
        _, merged, counts = np.unique(keys, return_inverse=True, return_counts=True)
        sums = [np.bincount(merged, weights=points[:, axis]) for axis in range(3)]
        points = np.stack(sums, axis=1) / counts[:, None]
        faces = _sound(merged[faces])
        cells = cells * 3 // 4
    return points, faces


def _finer(points: Floats, faces: Integers) -> tuple[Floats, Integers]:
    """Cut large triangles in four: V-HACD's voxels of one leave gaps, and the inside runs out."""
    corners = points[faces]
    done: list[Floats] = []
    while len(corners) and sum(map(len, done)) + len(corners) <= 2 * PROXY_TRIANGLES:
        sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
        large = sides.max(axis=1) > _LONGEST_SIDE
        done.append(corners[~large])
        a, b, c = corners[large].transpose(1, 0, 2)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        cuts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        corners = np.concatenate([np.stack(cut, axis=1) for cut in cuts])
    points = np.concatenate([*done, corners]).reshape(-1, 3)
    points, labels = weld(points)
    return points, _sound(labels.reshape(-1, 3))


def _is_convex(points: Floats, faces: Integers) -> bool:
    """Tell whether a surface of size 1 encloses its hull: the slowest case of all to cut up."""
    from scipy.spatial import ConvexHull, QhullError  # noqa: PLC0415  # Half a second.

    try:
        hull = ConvexHull(points)
    except QhullError:
        return False
    a, b, c = (points[rows] for rows in faces.T)
    enclosed = abs(float((a * np.cross(b, c)).sum())) / 6
    if enclosed < _CONVEX * hull.volume:
        return False
    centres, planes = (a + b + c) / 3, hull.equations
    return all(
        -float((centres[start : start + _ROWS] @ planes[:, :3].T + planes[:, 3]).max(axis=1).min())
        < _DENT
        for start in range(0, len(centres), _ROWS)
    )


def _sound(faces: Integers) -> Integers:
    """Drop triangles on fewer than three vertices, and all but one on the same three."""
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return faces[np.sort(first)]


def _vhacd(points: Floats, faces: Integers, max_parts: int) -> list[Floats]:
    import vhacdx  # noqa: PLC0415  # Only decomposition needs it.

    found = vhacdx.compute_vhacd(
        np.ascontiguousarray(points),
        np.ascontiguousarray(faces, dtype=np.uint32),
        maxConvexHulls=max_parts,
        resolution=_RESOLUTION,
        maxNumVerticesPerCH=_PART_VERTICES,
        asyncACD=False,  # With threads the parts come in any order.
    )
    return [np.asarray(part, dtype=np.float64) for part, _ in found]


def _coacd(points: Floats, faces: Integers, max_parts: int) -> list[Floats]:
    try:
        import coacd  # noqa: PLC0415  # Optional.
    except ImportError as exc:
        raise InvalidOption(
            "collision.method coacd needs the package coacd: pip install 'assetwright[coacd]'.",
            field="collision",
        ) from exc
    coacd.set_log_level("error")
    found = coacd.run_coacd(
        coacd.Mesh(points, faces.astype(np.int32)),
        threshold=0.1,
        max_convex_hull=max_parts,
        mcts_iterations=60,
        decimate=True,
        max_ch_vertex=_PART_VERTICES,
        seed=0,
    )
    return [np.asarray(part, dtype=np.float64) for part, _ in found]


def _box(points: Floats) -> Shape:
    low, high = points.min(axis=0), points.max(axis=0)
    thin = _THICKNESS * (float(np.linalg.norm(high - low)) or 1.0)
    grown = np.where(high - low < _FLAT * (float(np.linalg.norm(high - low)) or 1.0), thin / 2, 0)
    pick = np.array([[corner >> axis & 1 for axis in range(3)] for corner in range(8)])
    corners = np.where(pick, high + grown, low - grown)
    return Shape(corners, np.array(_BOX_FACES, dtype=np.int64))


_BOX_FACES = (
    (0, 4, 6),
    (0, 6, 2),
    (1, 3, 7),
    (1, 7, 5),
    (0, 1, 5),
    (0, 5, 4),
    (2, 6, 7),
    (2, 7, 3),
    (0, 2, 3),
    (0, 3, 1),
    (4, 5, 7),
    (4, 7, 6),
)
