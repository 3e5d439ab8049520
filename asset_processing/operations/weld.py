"""Merge vertices that are equal in every bit, and leave out those that no index names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ELEMENT_ARRAY_BUFFER
from asset_processing.accessors import Integers, stored
from asset_processing.operations._vertices import add_like, take_vertices
from asset_processing.primitives import Primitive, primitives, stored_indices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from asset_processing.document import GlbDocument

__all__ = ["equal_rows", "weld_vertices"]

_TRIANGLES = 4
_HARMLESS = {"KHR_materials_variants", "FB_ngon_encoding"}  # Neither knows a vertex by its number.
_PRIME = np.uint64(0x9E3779B97F4A7C15)


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


def equal_rows(columns: Sequence[NDArray[np.generic]]) -> Integers:
    """Return for each row the first row that is equal to it in every bit, shape (rows,).

    Rows are sorted by a hash of 64 bits and neighbours then compared bit by bit, which is five
    times as fast as sorting the rows. Where two different rows have one hash, the rows are sorted.
    """
    rows = _words(columns)
    hashes = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        hashes = (hashes ^ column) * _PRIME
        hashes ^= hashes >> np.uint64(29)
    order = np.argsort(hashes, kind="stable")
    ordered = rows[order]
    same_hash = hashes[order][1:] == hashes[order][:-1]
    same_row = (ordered[1:] == ordered[:-1]).all(axis=1)
    if (same_hash & ~same_row).any():
        order = np.lexsort(rows.T)
        ordered = rows[order]
        same_row = (ordered[1:] == ordered[:-1]).all(axis=1)
    first = np.flatnonzero(np.concatenate([[True], ~same_row]))
    group = np.cumsum(np.concatenate([[True], ~same_row])) - 1
    labels = np.empty(len(rows), np.int64)
    labels[order] = order[first][group]  # Stable sorts leave equal rows in their order.
    return labels


def _words(columns: Sequence[NDArray[np.generic]]) -> NDArray[np.uint32]:
    """All columns side by side as words of four bytes, shape (rows, words)."""
    parts = []
    for values in columns:
        content = np.ascontiguousarray(values)
        data = content.view(np.uint8).reshape(len(content), -1)
        padding = -data.shape[1] % 4
        if padding:
            data = np.pad(data, ((0, 0), (0, padding)))
        parts.append(np.ascontiguousarray(data).view("<u4"))
    return np.concatenate(parts, axis=1)
