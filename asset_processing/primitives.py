"""A mesh's primitives: what they declare, their vertices and their triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import Floats, Integers, integers, is_decodable, numbers
from asset_processing.errors import InvalidGlb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing._fields import JsonObject
    from asset_processing.document import GlbDocument

__all__ = [
    "DRACO",
    "Primitive",
    "primitives",
    "reading_cost",
    "stored_indices",
    "stored_positions",
    "stored_triangles",
    "triangle_count",
]

DRACO = "KHR_draco_mesh_compression"
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive of a mesh, with its vertices' accessor.

    Attributes:
        pointer: Its place in the JSON.
        values: Its JSON.
        mesh: Index of its mesh.
        position: Accessor of its positions.
        indices: Accessor of its indices; None draws the vertices in order.
        mode: 0 to 6; 4 to 6 are triangles.
        compressed: The vertices or the indices cannot be read, only what is declared about them.
    """

    pointer: str
    values: JsonObject
    mesh: int
    position: int
    indices: int | None
    mode: int
    compressed: bool


def primitives(document: GlbDocument, mesh: int) -> Iterator[Primitive]:
    """Yield a mesh's primitives. One without POSITION draws nothing and is left out."""
    for number, values in enumerate(document.json["meshes"][mesh].get("primitives", [])):
        position = values.get("attributes", {}).get("POSITION")
        if position is None:
            continue
        indices = values.get("indices")
        read = [*values["attributes"].values(), *([] if indices is None else [indices])]
        readable = DRACO not in values.get("extensions", {}) and all(
            is_decodable(document, index) for index in read
        )
        pointer = f"/meshes/{mesh}/primitives/{number}"
        mode = values.get("mode", _TRIANGLES)
        yield Primitive(pointer, values, mesh, position, indices, mode, not readable)


def stored_positions(document: GlbDocument, primitive: Primitive) -> Floats:
    """Return a primitive's vertices as stored, shape (vertices, 3).

    Raises:
        InvalidGlb: A coordinate is not finite.
    """
    return numbers(document, primitive.position)


def stored_indices(document: GlbDocument, primitive: Primitive) -> Integers:
    """Return which vertices a primitive draws, in order.

    Raises:
        InvalidGlb: An index names no vertex.
    """
    count = document.accessors[primitive.position].count
    if primitive.indices is None:
        return np.arange(count)
    found = integers(document, primitive.indices)[:, 0]
    if found.max() >= count:
        pointer = f"{primitive.pointer}/indices"
        raise InvalidGlb(
            f"{pointer} names vertex {found.max()}, but there are only {count}.", pointer=pointer
        )
    return found


def stored_triangles(document: GlbDocument, primitive: Primitive) -> Integers:
    """Return a primitive's triangles, shape (triangles, 3); lines and points have none."""
    drawn_vertices = stored_indices(document, primitive)
    if primitive.mode == _TRIANGLES:
        return drawn_vertices[: len(drawn_vertices) // 3 * 3].reshape(-1, 3)
    if primitive.mode not in (_STRIP, _FAN) or len(drawn_vertices) < 3:  # noqa: PLR2004
        return np.empty((0, 3), dtype=np.int64)
    first, second, third = drawn_vertices[:-2], drawn_vertices[1:-1], drawn_vertices[2:]
    if primitive.mode == _FAN:
        return np.stack([second, third, np.full_like(third, drawn_vertices[0])], axis=1)
    triangles = np.stack([first, second, third], axis=1)
    triangles[1::2, 1:] = triangles[1::2, :0:-1]  # Every second one turns the other way.
    return triangles


def triangle_count(document: GlbDocument, primitive: Primitive) -> int:
    """Return how many triangles a primitive has, from what is declared (glTF 2.0, 3.7.2.1)."""
    source = primitive.position if primitive.indices is None else primitive.indices
    count: int = document.accessors[source].count
    if primitive.mode == _TRIANGLES:
        return count // 3
    return max(count - 2, 0) if primitive.mode in (_STRIP, _FAN) else 0


def reading_cost(document: GlbDocument, primitive: Primitive) -> int:
    """Return how many vertices and indices are read to place a primitive once.

    Morph targets and joints count like vertices: a small file can name one accessor many times.
    """
    layers: int = 1 + len(primitive.values.get("targets", []))
    layers += sum(name.startswith("JOINTS_") for name in primitive.values["attributes"])
    indices = 0 if primitive.indices is None else document.accessors[primitive.indices].count
    return layers * document.accessors[primitive.position].count + indices
