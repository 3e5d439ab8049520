"""Merge vertices that are equal in every bit, and leave out those that no index names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ELEMENT_ARRAY_BUFFER
from asset_processing._rows import equal_rows
from asset_processing.accessors import Integers, stored
from asset_processing.operations._vertices import add_like, take_vertices
from asset_processing.primitives import Primitive, primitives, stored_indices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asset_processing.document import GlbDocument

__all__ = ["weld_vertices"]

_TRIANGLES = 4
_HARMLESS = {"KHR_materials_variants", "FB_ngon_encoding"}  # Neither knows a vertex by its number.


def weld_vertices(document: GlbDocument) -> None:
    """Merge the vertices of every triangle primitive, morph targets included.

    Two vertices are one when all attributes and all morph targets agree to the last bit; seams
    stay. The first of equal ones stays, in its order; triangles keep theirs. Primitives that share
    their vertices keep sharing them. A primitive with compressed vertices, or an extension that
    may know vertices by number, is left alone.

    Args:
        document: Changed in place.
    """
    for group in _groups(document):
        _weld_group(document, group)


def _groups(document: GlbDocument) -> Iterator[list[Primitive]]:
    """Primitives by the vertices that they share."""
    groups: dict[tuple[object, ...], list[Primitive]] = {}
    for mesh in range(len(document.json.get("meshes", []))):
        for primitive in primitives(document, mesh):
            key = (
                tuple(sorted(primitive.values["attributes"].items())),
                tuple(tuple(sorted(t.items())) for t in primitive.values.get("targets", [])),
            )
            groups.setdefault(key, []).append(primitive)
    for group in groups.values():
        if all(_can_be_welded(primitive) for primitive in group):
            yield group


def _can_be_welded(primitive: Primitive) -> bool:
    unknown = set(primitive.values.get("extensions", {})) - _HARMLESS
    return primitive.mode >= _TRIANGLES and not primitive.compressed and not unknown


def _weld_group(document: GlbDocument, group: Sequence[Primitive]) -> None:
    first = group[0].values
    layers = [first["attributes"], *first.get("targets", [])]
    used = sorted({index for layer in layers for index in layer.values()})
    drawn = [stored_indices(document, primitive) for primitive in group]
    labels = equal_rows([stored(document, index) for index in used])
    alive = np.zeros(len(labels), dtype=bool)
    for indices in drawn:
        alive[labels[indices]] = True
    keep = np.flatnonzero(alive)
    if len(keep) == len(labels):
        return
    places = np.full(len(labels), -1, dtype=np.int64)
    places[keep] = np.arange(len(keep))
    moved = take_vertices(document, used, keep)
    for primitive, indices in zip(group, drawn, strict=True):
        values = places[labels[indices]]
        document.replace_primitive(
            primitive.values,
            attributes={n: moved[i] for n, i in primitive.values["attributes"].items()},
            targets=[
                {n: moved[i] for n, i in target.items()}
                for target in primitive.values.get("targets", [])
            ],
            indices=_indices(document, primitive, values, vertices=len(keep)),
        )


def _indices(
    document: GlbDocument, primitive: Primitive, values: Integers, *, vertices: int
) -> int:
    """Append indices as narrow as the vertices allow; the largest number restarts (3.7.2.1)."""
    width = np.uint16 if vertices < np.iinfo(np.uint16).max else np.uint32
    found = values.astype(width)
    if primitive.indices is None:
        return document.add_accessor(found, target=ELEMENT_ARRAY_BUFFER)
    return add_like(document, primitive.indices, found, target=ELEMENT_ARRAY_BUFFER)
