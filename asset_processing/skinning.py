"""Vertices of skinned meshes in their rest pose (glTF 2.0, 3.7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import Floats, Integers, integers, numbers
from asset_processing.errors import InvalidGlb
from asset_processing.scene import world_matrices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asset_processing._fields import JsonObject
    from asset_processing.document import GlbDocument
    from asset_processing.primitives import Primitive

__all__ = ["Rig", "skinned"]

_CHUNK = 100_000  # Vertices at once: their matrices take 10 MB of float64.


class Rig:
    """The skins of a document: the matrix that each joint moves its vertices by.

    The nodes are walked once for all skins; the document must not change meanwhile.
    """

    def __init__(self, document: GlbDocument) -> None:
        self._document = document
        self._world: Mapping[int, Floats] | None = None
        self._palettes: dict[int, Floats] = {}

    def palette(self, skin: int) -> Floats:
        """Return world matrix times inverse bind matrix of each joint, shape (joints, 4, 4)."""
        if skin not in self._palettes:
            self._palettes[skin] = self._compute(self._document.json["skins"][skin])
        return self._palettes[skin]

    def _compute(self, skin: JsonObject) -> Floats:
        if self._world is None:
            self._world = world_matrices(self._document)
        joints = skin.get("joints", [])
        found = np.array([self._world[joint] for joint in joints]).reshape(-1, 4, 4)
        if "inverseBindMatrices" in skin:
            inverse = numbers(self._document, skin["inverseBindMatrices"])[: len(joints)]
            with np.errstate(over="ignore", invalid="ignore"):
                found = found @ inverse.reshape(-1, 4, 4).transpose(0, 2, 1)
        return found


def skinned(
    document: GlbDocument,
    primitive: Primitive,
    points: Floats,
    *,
    skin: int,
    rig: Rig,
) -> Floats:
    """Return vertices under their joints. The mesh node's own matrix does not count (3.7.3.3).

    Args:
        document: The document.
        primitive: A primitive with JOINTS_0.
        points: Its vertices, morphed, shape (vertices, 3).
        skin: Index of the skin.
        rig: The document's skins.

    Raises:
        InvalidGlb: A vertex names a joint that the skin has not.
    """
    palette = rig.palette(skin)
    attributes = primitive.values["attributes"]
    placed, total = np.zeros((len(points), 3)), np.zeros((len(points), 1))
    number = 0
    while f"JOINTS_{number}" in attributes and f"WEIGHTS_{number}" in attributes:
        joints = integers(document, attributes[f"JOINTS_{number}"])
        weights = numbers(document, attributes[f"WEIGHTS_{number}"])
        if joints.min() < 0 or joints.max() >= len(palette):
            pointer = f"{primitive.pointer}/attributes/JOINTS_{number}"
            raise InvalidGlb(f"{pointer} names a joint that the skin has not.", pointer=pointer)
        for column in range(4):
            placed += _pulled(palette, joints[:, column], weights[:, column], points)
        total += weights.sum(axis=1, keepdims=True)
        number += 1
    return placed / np.where(total > 0, total, 1)  # Weights add up to 1, but for rounding.


def _pulled(palette: Floats, joints: Integers, weights: Floats, points: Floats) -> Floats:
    """Each vertex under one joint of its own, times its weight, shape (vertices, 3)."""
    found = np.empty((len(points), 3))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(points), _CHUNK):
            rows = slice(start, start + _CHUNK)
            matrices = palette[joints[rows], :3]
            found[rows] = np.einsum("vij,vj->vi", matrices[:, :, :3], points[rows])
            found[rows] += matrices[:, :, 3]
        return found * weights[:, None]
