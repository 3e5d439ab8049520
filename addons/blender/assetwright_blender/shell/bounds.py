"""How large objects are, measured on their vertices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Box", "box_of", "family", "stand_of"]


@dataclass(frozen=True)
class Box:
    """Bounds along three axes, in Blender's units."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    @property
    def size(self) -> tuple[float, float, float]:
        """Extents along X, Y and Z."""
        x, y, z = (high - low for low, high in zip(self.low, self.high, strict=True))
        return (x, y, z)

    @property
    def base(self) -> tuple[float, float, float]:
        """The centre of the floor."""
        return (
            (self.low[0] + self.high[0]) / 2,
            (self.low[1] + self.high[1]) / 2,
            self.low[2],
        )


def family(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return an object and everything below it."""
    return [root, *root.children_recursive]


def box_of(objects: Iterable[bpy.types.Object], frame: Matrix | None = None) -> Box | None:
    """Return the bounds of the objects' vertices, modifiers included.

    Args:
        objects: Meshes and others; what has no mesh does not count.
        frame: Along whose axes; None for the world's.

    Returns:
        The box in that frame; None where there is no vertex.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    inverse = frame.inverted() if frame else Matrix()
    lows, highs = [], []
    for one in objects:
        if one.type not in {"MESH", "CURVE", "SURFACE", "META", "FONT"}:
            continue
        evaluated = one.evaluated_get(graph)
        mesh = evaluated.to_mesh()
        if mesh is None or not mesh.vertices:
            continue
        flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", flat)
        matrix = np.array(inverse @ evaluated.matrix_world)
        points = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        lows.append(points.min(axis=0))
        highs.append(points.max(axis=0))
        evaluated.to_mesh_clear()
    if not lows:
        return None
    low, high = np.min(lows, axis=0).tolist(), np.max(highs, axis=0).tolist()
    return Box(tuple(low), tuple(high))


def stand_of(
    objects: list[bpy.types.Object], turn: float
) -> tuple[Box, tuple[float, float, float]] | None:
    """Return the objects' bounds in a frame turned about Z, and where in the world their base is.

    Args:
        objects: What is measured.
        turn: The frame's angle, in radians.
    """
    frame = Matrix.Rotation(turn, 4, "Z")
    box = box_of(objects, frame)
    if box is None or not all(math.isfinite(one) for one in (*box.low, *box.high)):
        return None
    x, y, z = frame @ Matrix.Translation(box.base) @ Matrix().to_translation()
    return box, (x, y, z)
