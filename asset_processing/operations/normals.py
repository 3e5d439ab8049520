"""Compute normals where triangles have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER
from asset_processing.primitives import (
    Primitive,
    primitives,
    stored_positions,
    stored_triangles,
)
from asset_processing.survey import weld

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["add_normals", "corner_angles"]

_TRIANGLES = 4
_UP = (0.0, 1.0, 0.0)


def add_normals(document: GlbDocument) -> int:
    """Give triangle primitives without normals smooth ones.

    A vertex gets the sum of its triangles' unit normals, each times the triangle's angle there
    (Thuermer and Wuethrich, Computing Vertex Normals from Polygonal Facets, 1998), which does not
    depend on how a face was cut into triangles. Vertices in one place count as one, so that seams
    of texture coordinates and borders between a mesh's materials do not show. One in no triangle
    with area points up.

    Args:
        document: Changed in place.

    Returns:
        How many primitives got normals. Those with compressed vertices get none.
    """
    total = 0
    for mesh in range(len(document.json.get("meshes", []))):
        missing = [
            primitive
            for primitive in primitives(document, mesh)
            if primitive.mode >= _TRIANGLES
            and not primitive.compressed
            and "NORMAL" not in primitive.values["attributes"]
        ]
        if missing:
            _add(document, missing)
            total += len(missing)
    return total


def _add(document: GlbDocument, missing: list[Primitive]) -> None:
    starts: dict[int, int] = {}
    points: list[Floats] = []
    count = 0
    for primitive in missing:
        if primitive.position not in starts:
            starts[primitive.position] = count
            points.append(stored_positions(document, primitive))
            count += len(points[-1])
    triangles = np.concatenate(
        [starts[one.position] + stored_triangles(document, one) for one in missing]
    )
    found = smooth_normals(np.concatenate(points), triangles).astype(np.float32)
    added = {
        position: document.add_accessor(found[start : start + len(part)], target=ARRAY_BUFFER)
        for (position, start), part in zip(starts.items(), points, strict=True)
    }
    for primitive in missing:
        primitive.values["attributes"]["NORMAL"] = added[primitive.position]


def smooth_normals(points: Floats, triangles: Integers) -> Floats:
    """Return a unit normal for each point, shape (points, 3)."""
    places, labels = weld(points)
    corners = places[labels[triangles]]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(faces, axis=1, keepdims=True)
    faces = np.divide(faces, lengths, out=np.zeros_like(faces), where=lengths > 0)
    weighted = faces[:, None, :] * corner_angles(corners)[:, :, None]
    sums = np.stack(
        [
            np.bincount(
                labels[triangles].ravel(), weighted[:, :, axis].ravel(), minlength=len(places)
            )
            for axis in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    unit = np.divide(sums, lengths, out=np.tile(_UP, (len(places), 1)), where=lengths > _TINY)
    found: Floats = unit[labels]
    return found


_TINY = 1e-12


def corner_angles(corners: Floats) -> Floats:
    """Return the angle at each corner of triangles, shape (triangles, 3), in radians."""
    after = np.roll(corners, -1, axis=1) - corners
    before = np.roll(corners, 1, axis=1) - corners
    sine = np.linalg.norm(np.cross(after, before), axis=2)
    cosine = (after * before).sum(axis=2)
    found: Floats = np.arctan2(sine, cosine)
    return found
