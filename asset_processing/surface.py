"""The triangles of the default scene in the world, with what their vertices carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import numbers
from asset_processing.geometry import drawn, moved, posed
from asset_processing.primitives import Primitive, stored_triangles
from asset_processing.skinning import Rig

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["Part", "Unreadable", "read_surface", "soup"]

_MAX_PARTS = 20_000  # Placed one by one; 1 s.


class Unreadable(Exception):
    """The surface cannot be had; the message says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    """A primitive where it is drawn.

    Attributes:
        name: Of its node, else of its mesh; empty where neither has one.
        primitive: The primitive.
        points: Vertices in the world, in metres, shape (vertices, 3).
        faces: Triangles, counter-clockwise from outside, shape (triangles, 3).
        matrix: From its normals to the world, shape (3, 3); None where a skin moves them.
    """

    name: str
    primitive: Primitive
    points: Floats
    faces: Integers
    matrix: Floats | None

    @property
    def material(self) -> int | None:
        """Index of its material."""
        found: int | None = self.primitive.values.get("material")
        return found

    def attribute(self, document: GlbDocument, name: str) -> Floats | None:
        """Return an attribute of the vertices, such as ``TEXCOORD_0``; None without it."""
        index = self.primitive.values["attributes"].get(name)
        return None if index is None else numbers(document, index)

    def normals(self, document: GlbDocument) -> Floats | None:
        """Return unit normals in the world; None where there are none that could be placed."""
        stored = self.attribute(document, "NORMAL")
        if stored is None or self.matrix is None:
            return None
        placed: Floats = stored @ self.matrix.T
        length = np.linalg.norm(placed, axis=1, keepdims=True)
        return placed / np.where(length > 0, length, 1)


def read_surface(document: GlbDocument, *, max_triangles: int) -> list[Part]:
    """Return everything that the default scene draws as triangles, in its rest pose.

    Args:
        document: The document.
        max_triangles: How many to read at most.

    Raises:
        Unreadable: There are no triangles, too many, or they are compressed.
    """
    found: list[Part] = []
    rig = Rig(document)
    total = vertices = 0
    for draw, primitive in drawn(document):
        if primitive.compressed:
            raise Unreadable("its vertices are compressed and were not decoded")
        faces = stored_triangles(document, primitive)
        if not len(faces):
            continue
        stored, matrices = posed(document, draw, primitive, rig)
        total += len(faces) * len(matrices)
        vertices += len(stored) * len(matrices)
        if total > max_triangles or vertices > 3 * max_triangles + 1000:
            raise Unreadable(f"it draws more than {max_triangles:,} triangles")
        if len(found) + len(matrices) > _MAX_PARTS:
            raise Unreadable(f"it draws more than {_MAX_PARTS:,} parts")
        name = _name(document, draw.node, draw.mesh)
        skinned = draw.skin is not None and "JOINTS_0" in primitive.values["attributes"]
        for matrix in matrices:
            turned = faces[:, ::-1] if np.linalg.det(matrix[:3, :3]) < 0 else faces
            points = moved(stored, matrix)
            found.append(
                Part(name, primitive, points, turned, None if skinned else _normal_matrix(matrix))
            )
    if not found:
        raise Unreadable("it draws no triangles")
    return found


def soup(parts: list[Part]) -> tuple[Floats, Integers]:
    """Return all vertices, shape (vertices, 3), and all triangles, shape (triangles, 3)."""
    if len(parts) == 1:
        return parts[0].points, parts[0].faces
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    return (
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
    )


def _normal_matrix(matrix: Floats) -> Floats:
    """The cofactors: the inverse transpose but for length, and defined for flat matrices too."""
    (a, b, c), (d, e, f), (g, h, i) = matrix[:3, :3].tolist()
    return np.array(
        [
            [e * i - f * h, f * g - d * i, d * h - e * g],
            [c * h - b * i, a * i - c * g, b * g - a * h],
            [b * f - c * e, c * d - a * f, a * e - b * d],
        ]
    )


def _name(document: GlbDocument, node: int, mesh: int) -> str:
    entries = (document.json["nodes"][node], document.json["meshes"][mesh])
    return next((str(entry["name"]) for entry in entries if entry.get("name")), "")
