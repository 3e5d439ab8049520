"""The triangles of one mesh as one surface, and their way back into its primitives.

Primitives are simplified together, so that the border between two materials stays closed and the
triangles go where the surface needs them least. Each primitive keeps vertices of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER
from asset_processing.accessors import extent, numbers, stored
from asset_processing.errors import UnsupportedGlb
from asset_processing.primitives import primitives, stored_triangles
from asset_processing.simplifier import Attribute, Simplified, Simplifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument
    from asset_processing.primitives import Primitive

__all__ = ["JoinedMesh"]

_TRIANGLES = 4
_MAX_INDEX_16 = 0xFFFF  # It restarts a primitive (glTF 2.0, 3.7.2.1), so no vertex may have it.
_SMALL = 2_000  # Triangles.
_SAMPLES = 32_768  # Triangles.
_MAX_COMPONENTS = 24  # What the simplifier carries.

# What a difference of 1 counts for, as a part of the mesh's extent. Tuned on the figure of
# benchmarks/_models.py with both atlases, against colour error, distance and shading together.
_NORMAL = 0.03
_COLOR = 0.1
_UV = 30.0  # Times the extent that one unit of texture covers.


@dataclass(frozen=True, slots=True)
class _Part:
    """A primitive's share of the joined vertices."""

    number: int  # Among the mesh's primitives.
    used: Integers | None  # Which of its vertices are drawn; None where all are.
    start: int  # Of its vertices among the joined ones.
    triangles: Integers  # In joined vertices.


class JoinedMesh:
    """All triangles of a mesh that can become fewer.

    Attributes:
        mesh: Index of the mesh.
        triangle_count: How many it has now.
        vertex_count: How many vertices it has now, seams counted as often as they are stored.
        is_empty: Whether it has no triangles.
        was_reduced: Whether anything went.
    """

    def __init__(self, document: GlbDocument, mesh: int) -> None:
        """Read a mesh.

        Raises:
            UnsupportedGlb: Vertices are compressed.
            InvalidGlb: A position is not finite, or an index names no vertex.
        """
        self.mesh = mesh
        self._document = document
        self._parts = list(self._read(mesh))
        self.is_empty = not self._parts
        self.was_reduced = False
        if self.is_empty:
            return
        self._positions = self._joined("POSITION", 3)
        self._triangles = np.concatenate([part.triangles for part in self._parts])
        self._names: dict[str, int] = {}
        self._moving = False
        self._simplifier: Simplifier | None = None
        self._result: Simplified | None = None
        self.triangle_count = len(self._triangles)
        self.vertex_count = len(self._positions)

    def reduce(self, *, max_triangles: int | None, max_vertices: int | None) -> None:
        """Collapse edges until both budgets are met or nothing else can go."""
        if (max_triangles is None or self.triangle_count <= max_triangles) and (
            max_vertices is None or self.vertex_count <= max_vertices
        ):
            return
        simplifier = self._simplifier or self._begun()
        if not simplifier.triangle_count:
            return  # None has an area that float32 can tell from none; they stay as they are.
        self.was_reduced = True
        simplifier.reduce(
            max_triangles=max_triangles, max_vertices=max_vertices, moving=self._moving
        )
        self.triangle_count = simplifier.triangle_count
        self.vertex_count = simplifier.vertex_count
        self._result = simplifier.result()
        # A file can have thousands of small meshes: they begin anew, and hold no memory between.
        self._simplifier = simplifier if len(self._triangles) > _SMALL else None

    def _begun(self) -> Simplifier:
        self._names, attributes = self._chosen()
        self._moving = self._may_move()
        columns = np.ascontiguousarray(self._positions.T)
        extremes = np.concatenate([columns.argmin(axis=1), columns.argmax(axis=1)])
        names = list(self._names)
        return Simplifier(
            self._positions,
            self._triangles,
            attributes,
            uv=names.index("TEXCOORD_0") if "TEXCOORD_0" in names else None,
            pinned=extremes,
        )

    @property
    def source(self) -> tuple[Floats, Integers]:
        """Positions and triangles as they were read."""
        return self._positions, self._triangles

    def result(self) -> Simplified:
        """Return what the surface is now that it was reduced."""
        assert self._result is not None  # noqa: S101  # `was_reduced` says so.
        return self._result

    def write(self, document: GlbDocument, *, into: int | None = None) -> int:
        """Put what the surface is now into a document's mesh.

        Args:
            document: The one that was read, or one like it.
            into: A mesh whose primitives are as those that were read; None means the same one.

        Returns:
            How many primitives had no triangle left and went.
        """
        result = self.result()
        values: list[JsonObject] = document.edit_json()["meshes"][
            self.mesh if into is None else into
        ]["primitives"]
        gone = []
        for part, stop in zip(self._parts, self._ends(), strict=True):
            low, high = np.searchsorted(result.source, (part.start, stop))
            # A triangle's corners are all of one part: parts share no vertex.
            mine = (result.triangles[:, 0] >= low) & (result.triangles[:, 0] < high)
            primitive = values[part.number]
            if not mine.any():
                gone.append(primitive)
                continue
            self._write_part(document, primitive, part, result, slice(low, high))
            _write_indices(document, primitive, result.triangles[mine] - low, high - low)
        for primitive in gone:
            document.replace_primitive(primitive, attributes={}, indices=None, targets=[])
            values.remove(primitive)
        return len(gone)

    # ---- reading

    def _read(self, mesh: int) -> Iterator[_Part]:
        start = 0
        numbers_of = {
            id(values): number
            for number, values in enumerate(self._document.json["meshes"][mesh]["primitives"])
        }
        for primitive in primitives(self._document, mesh):
            if primitive.mode < _TRIANGLES:
                continue
            self._refuse_compressed(primitive)
            triangles = stored_triangles(self._document, primitive)
            if not len(triangles):
                continue
            count = self._document.accessors[primitive.position].count
            drawn = np.zeros(count, dtype=bool)
            drawn[triangles] = True
            used = None if drawn.all() else np.flatnonzero(drawn)
            if used is not None:
                triangles = (np.cumsum(drawn) - 1)[triangles]
                count = len(used)
            yield _Part(numbers_of[id(primitive.values)], used, start, triangles + start)
            start += count

    def _refuse_compressed(self, primitive: Primitive) -> None:
        if primitive.compressed:
            raise UnsupportedGlb(
                f"{primitive.pointer} is compressed and cannot be simplified as it is; decode it.",
                pointer=primitive.pointer,
            )

    def _ends(self) -> list[int]:
        starts = [part.start for part in self._parts]
        return [*starts[1:], len(self._positions)]

    def _json(self, part: _Part) -> JsonObject:
        values: JsonObject = self._document.json["meshes"][self.mesh]["primitives"][part.number]
        return values

    def _joined(self, name: str, width: int, *, target: int | None = None) -> Floats:
        """An attribute of all parts, shape (vertices, width); zeros where a part has none."""
        pieces = []
        for part, stop in zip(self._parts, self._all_ends(), strict=True):
            accessor = self._accessor(part, name, target)
            if accessor is None:
                pieces.append(np.zeros((stop - part.start, width)))
                continue
            found = numbers(self._document, accessor)
            pieces.append((found if part.used is None else found[part.used])[:, :width])
        return np.concatenate(pieces)

    def _all_ends(self) -> list[int]:
        """Before the positions are known: where each part's vertices end."""
        ends = []
        for part in self._parts:
            position = self._accessor(part, "POSITION", None)
            assert position is not None  # noqa: S101  # `primitives` leaves out those without.
            count = self._document.accessors[position].count
            ends.append(part.start + (count if part.used is None else len(part.used)))
        return ends

    def _accessor(self, part: _Part, name: str, target: int | None) -> int | None:
        values = self._json(part)
        targets = values.get("targets", [])
        if target is not None:
            return targets[target].get(name) if target < len(targets) else None
        index: int | None = values["attributes"].get(name)
        return index

    def _attribute_names(self) -> list[str]:
        return sorted({name for part in self._parts for name in self._json(part)["attributes"]})

    def _chosen(self) -> tuple[dict[str, int], list[Attribute]]:
        """What is weighed with the positions: names with their widths, and the values.

        Texture coordinates come first, then normals, colours, and what morph targets move, as far
        as there is room.
        """
        low, high = extent(self._positions)
        longest = float((high - low).max()) or 1.0
        found: dict[str, int] = {}
        attributes: list[Attribute] = []
        room = _MAX_COMPONENTS

        def add(name: str, values: Floats, weight: float) -> None:
            nonlocal room
            if values.shape[1] <= room and weight > 0:
                found[name] = values.shape[1]
                attributes.append(Attribute(values, weight))
                room -= values.shape[1]

        names = self._attribute_names()
        for name in (name for name in names if name.startswith("TEXCOORD_")):
            coordinates = self._joined(name, 2)
            add(name, coordinates, _UV * self._density(coordinates) / longest)
        if "NORMAL" in names:
            add("NORMAL", self._joined("NORMAL", 3), _NORMAL)
        for name in (name for name in names if name.startswith("COLOR_")):
            add(name, self._joined(name, self._width(name)), _COLOR)
        for target in range(max(len(self._json(part).get("targets", [])) for part in self._parts)):
            moved = self._joined("POSITION", 3, target=target)
            add(f"target {target}", moved, 1 / longest)
        return found, attributes

    def _width(self, name: str) -> int:
        accessors = (self._accessor(part, name, None) for part in self._parts)
        return min(
            self._document.accessors[index].components for index in accessors if index is not None
        )

    def _density(self, coordinates: Floats) -> float:
        """Length on the surface for a unit of texture: the root of the areas' ratio.

        Some 30,000 triangles, spread evenly over the list, stand for the others.
        """
        triangles = self._triangles[:: max(len(self._triangles) // _SAMPLES, 1) | 1]
        corners, flat = self._positions[triangles], coordinates[triangles]
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        u, v = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
        (a, b, c), (d, e, f) = first.T, second.T  # By hand: np.cross takes longer than all else.
        crossed = (b * f - c * e, c * d - a * f, a * e - b * d)
        area = float(np.sqrt(sum(part * part for part in crossed)).sum())
        covered = float(np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum())
        return (area / covered) ** 0.5 if covered > 0 else 0.0

    def _may_move(self) -> bool:
        """Whether a vertex may leave its place: nothing else hangs on it, and all is float32.

        A skin's weights and morph targets are given for places; such vertices stay what they were.
        """
        for part in self._parts:
            values = self._json(part)
            if values.get("targets") or any(n.startswith("JOINTS_") for n in values["attributes"]):
                return False
            for name, accessor in values["attributes"].items():
                if name in self._names or name == "POSITION":
                    if stored(self._document, accessor).dtype != np.float32:
                        return False
                    if name in self._names and self._width_of(accessor) != self._names[name]:
                        return False
        return True

    def _width_of(self, accessor: int) -> int:
        components: int = self._document.accessors[accessor].components
        return components

    # ---- writing

    def _write_part(
        self,
        document: GlbDocument,
        primitive: JsonObject,
        part: _Part,
        result: Simplified,
        mine: slice,
    ) -> None:
        kept = result.source[mine] - part.start
        kept = kept if part.used is None else part.used[kept]
        moved = self._moved(result, mine) if self._moving else {}
        attributes = {
            name: self._carry(document, accessor, kept, moved.get(name), name=name)
            for name, accessor in primitive["attributes"].items()
        }
        targets = [
            {
                name: self._carry(document, accessor, kept, None, name=name)
                for name, accessor in target.items()
            }
            for target in primitive.get("targets", [])
        ]
        document.replace_primitive(
            primitive, attributes=attributes, indices=None, targets=targets or None
        )

    def _carry(
        self,
        document: GlbDocument,
        accessor: int,
        kept: Integers,
        moved: NDArray[np.float32] | None,
        *,
        name: str,
    ) -> int:
        values = stored(document, accessor)[kept] if moved is None else moved
        return document.add_accessor(
            values,
            target=ARRAY_BUFFER,
            normalized=document.accessors[accessor].normalized,
            with_range=name == "POSITION",
        )

    def _moved(self, result: Simplified, mine: slice) -> Mapping[str, NDArray[np.float32]]:
        """The attributes that have new values, by name."""
        low, high = extent(self._positions)
        found = {"POSITION": result.positions[mine].clip(low, high).astype(np.float32)}
        for name, values in zip(self._names, result.attributes, strict=True):
            chosen = values[mine]
            if name == "NORMAL":
                length = np.linalg.norm(chosen, axis=1, keepdims=True)
                chosen = np.where(length > 0, chosen / np.where(length > 0, length, 1), (0, 1, 0))
            elif name.startswith("COLOR_"):
                chosen = chosen.clip(0, 1)
            found[name] = chosen.astype(np.float32)
        return found


def _write_indices(
    document: GlbDocument, primitive: JsonObject, triangles: Integers, vertices: int
) -> None:
    kind = np.uint16 if vertices <= _MAX_INDEX_16 else np.uint32
    primitive["indices"] = document.add_accessor(
        triangles.reshape(-1).astype(kind), target=ELEMENT_ARRAY_BUFFER
    )
    primitive.pop("mode", None)
    extensions = primitive.get("extensions", {})
    if extensions.pop("FB_ngon_encoding", None) is not None and not extensions:
        del primitive["extensions"]
