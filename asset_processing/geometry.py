"""Vertices in the world and the box around them. Metres, +Y up (glTF 2.0, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import (
    Floats,
    declared_range,
    extent,
    is_decodable,
    numbers,
    stored,
)
from asset_processing.errors import GlbTooLarge, InvalidGlb
from asset_processing.primitives import (
    Primitive,
    primitives,
    reading_cost,
    stored_indices,
    stored_positions,
)
from asset_processing.scene import Draw, draws
from asset_processing.skinning import Rig, skinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from asset_processing.document import GlbDocument

__all__ = ["Bounds", "bounds_of", "drawn", "moved", "posed"]

_CORNERS = 8
_FLOAT = 5126
_SEARCHED = 1 << 16  # Indices looked through at once: mostly one of the first ones is it.
_CHUNK = 500_000  # Vertices transformed at once: 12 MB of float64.


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest box along the axes that holds the default scene, in metres.

    Attributes:
        min: Lowest X, Y and Z.
        max: Highest X, Y and Z.
    """

    min: tuple[float, float, float]
    max: tuple[float, float, float]

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent along X, Y and Z."""
        x, y, z = (high - low for low, high in zip(self.min, self.max, strict=True))
        return x, y, z

    @property
    def center(self) -> tuple[float, float, float]:
        """The middle."""
        x, y, z = ((low + high) / 2 for low, high in zip(self.min, self.max, strict=True))
        return x, y, z


def drawn(document: GlbDocument) -> Iterator[tuple[Draw, Primitive]]:
    """Yield what the default scene draws, within the limits.

    Raises:
        GlbTooLarge: The nodes draw more than the limits allow.
    """
    limits = document.limits
    count = vertices = 0
    cache: dict[int, list[Primitive]] = {}
    for draw in draws(document):
        if draw.mesh not in cache:
            cache[draw.mesh] = list(primitives(document, draw.mesh))
        for primitive in cache[draw.mesh]:
            count += 1
            vertices += reading_cost(document, primitive) * len(draw.matrices)
            if count > limits.max_draws or vertices > limits.max_drawn_vertices:
                raise GlbTooLarge(
                    "The nodes draw the meshes too often: over "
                    f"{limits.max_draws} primitives or {limits.max_drawn_vertices} vertices "
                    "and indices.",
                    limit="max_drawn_vertices",
                )
            yield draw, primitive


def bounds_of(document: GlbDocument) -> Bounds:
    """Measure the default scene in its rest pose: every vertex that is drawn, in the world.

    Skinned vertices follow their joints, default morph weights are applied. Compressed vertices
    are not decoded: the eight corners of their declared range stand for them, so that a rotated
    mesh measures at most too large.

    Raises:
        InvalidGlb: Nothing is drawn, or something is not finite.
        GlbTooLarge: The nodes draw more than the limits allow.
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    rig = Rig(document)
    boxes: dict[str, Floats | None] = {}
    for draw, primitive in drawn(document):
        for points in _placed(document, draw, primitive, rig, boxes):
            least, most = extent(points)
            low, high = np.minimum(low, least), np.maximum(high, most)
            if not (np.isfinite(low).all() and np.isfinite(high).all()):
                raise InvalidGlb(
                    f"{primitive.pointer} lies beyond every finite place once its node "
                    f"/nodes/{draw.node} is applied.",
                    pointer=primitive.pointer,
                )
    if low[0] > high[0]:
        raise InvalidGlb("The default scene draws no vertices; there is no geometry to process.")
    return Bounds(_triple(low), _triple(high))


def posed(
    document: GlbDocument, draw: Draw, primitive: Primitive, rig: Rig
) -> tuple[Floats, Floats]:
    """Return a primitive's vertices in its rest pose and the matrices that place them.

    Args:
        document: The document.
        draw: The node.
        primitive: One of its mesh's primitives, not compressed.
        rig: The document's skins.

    Returns:
        Vertices, shape (vertices, 3), and matrices to the world, shape (instances, 4, 4).
    """
    points = stored_positions(document, primitive)
    points += _morphed(document, draw, primitive, len(points))
    if draw.skin is None or "JOINTS_0" not in primitive.values["attributes"]:
        return points, draw.matrices
    points = skinned(document, primitive, points, skin=draw.skin, rig=rig)
    return points, np.eye(4)[None]


def moved(points: Floats, matrix: Floats) -> Floats:
    """Return points, shape (points, 3), under a matrix, shape (4, 4); many stand at the origin."""
    if np.array_equal(matrix[:3, :3], np.eye(3)):
        return points + matrix[:3, 3] if matrix[:3, 3].any() else points
    placed: Floats = points @ matrix[:3, :3].T + matrix[:3, 3]
    return placed


def _placed(
    document: GlbDocument,
    draw: Draw,
    primitive: Primitive,
    rig: Rig,
    boxes: dict[str, Floats | None],
) -> Iterator[Floats]:
    """Yield the vertices that a primitive draws in the world, shape (some, 3), or their box's.

    Args:
        document: The document.
        draw: The node.
        primitive: One of its mesh's primitives.
        rig: The document's skins.
        boxes: By primitive what `_box` gave; filled here.
    """
    box = None
    if not primitive.compressed and _moves_straight(draw, primitive):
        if primitive.pointer not in boxes:
            boxes[primitive.pointer] = _box(document, primitive)
        box = boxes[primitive.pointer]
    if primitive.compressed:
        points, matrices = _corners(document, primitive), draw.matrices
    elif box is not None:
        points, matrices = box, draw.matrices
    else:
        points, matrices = posed(document, draw, primitive, rig)
        used = np.zeros(len(points), dtype=bool)
        used[stored_indices(document, primitive)] = True
        points = points[used]
    step = max(1, _CHUNK // len(points))
    for start in range(0, len(matrices), step):
        yield _transformed(matrices[start : start + step], points)


def _moves_straight(draw: Draw, primitive: Primitive) -> bool:
    """Tell whether nothing but matrices moves the vertices, each coordinate for itself."""
    still = draw.skin is None and not primitive.values.get("targets")
    straight = (np.count_nonzero(draw.matrices[:, :3, :3], axis=2) <= 1).all()
    return bool(still and straight and np.isfinite(draw.matrices).all())


def _box(document: GlbDocument, primitive: Primitive) -> Floats | None:
    """Two corners that are moved as all vertices are, shape (2, 3), where `_moves_straight`.

    None where the outermost vertices are not drawn, or are no floats.
    """
    if document.accessors[primitive.position].component_type != _FLOAT:
        return None
    columns = np.ascontiguousarray(stored(document, primitive.position).T)
    outermost = np.array([columns.argmin(axis=1), columns.argmax(axis=1)])
    corners: Floats = columns[np.arange(3), outermost].astype(np.float64)
    if not np.isfinite(corners).all():
        return None
    if primitive.indices is not None:
        indices = stored(document, primitive.indices)[:, 0]
        if indices.max() >= columns.shape[1] or not all(
            _is_drawn(indices, vertex) for vertex in {*outermost.ravel().tolist()}
        ):
            return None
    return corners


def _is_drawn(indices: NDArray[np.generic], vertex: int) -> bool:
    return any(
        (indices[start : start + _SEARCHED] == vertex).any()
        for start in range(0, len(indices), _SEARCHED)
    )


def _transformed(matrices: Floats, points: Floats) -> Floats:
    """Every point under every matrix, shape (matrices * points, 3)."""
    with np.errstate(over="ignore", invalid="ignore"):
        placed = points @ matrices[:, :3, :3].transpose(0, 2, 1) + matrices[:, None, :3, 3]
    return placed.reshape(-1, 3)


def _corners(document: GlbDocument, primitive: Primitive) -> Floats:
    declared = declared_range(document, primitive.position)
    if declared is None:
        pointer = f"/accessors/{primitive.position}"
        raise InvalidGlb(
            f"{pointer} has no min and max, though it is for POSITION.", pointer=pointer
        )
    pick = np.array([[corner >> axis & 1 for axis in range(3)] for corner in range(_CORNERS)])
    return np.where(pick, declared[1], declared[0])


def _morphed(document: GlbDocument, draw: Draw, primitive: Primitive, count: int) -> Floats:
    """What the default weights add to each vertex (glTF 2.0, 3.7.2.2), shape (count, 3)."""
    node = document.json["nodes"][draw.node]
    weights = node.get("weights") or document.json["meshes"][draw.mesh].get("weights") or []
    moved = np.zeros((count, 3))
    for weight, target in zip(weights, primitive.values.get("targets", []), strict=False):
        if weight and "POSITION" in target and is_decodable(document, target["POSITION"]):
            moved += weight * numbers(document, target["POSITION"])
    return moved


def _triple(values: Floats) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
