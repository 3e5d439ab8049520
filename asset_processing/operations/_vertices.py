"""Change what accessors hold, for all who read them in one role and for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER
from asset_processing._references import references
from asset_processing.accessors import numbers, stored
from asset_processing.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument
    from asset_processing.layout import Accessor

__all__ = ["Rewriter", "add_like", "take_vertices"]

_FLOAT = 5126
_MOST_NEIGHBOURS = 256


def add_like(
    document: GlbDocument,
    index: int,
    values: NDArray[np.generic],
    *,
    target: int | None = ARRAY_BUFFER,
) -> int:
    """Append an accessor with what another one declares about its values, and return its index."""
    entry = document.json["accessors"][index]
    added = document.add_accessor(
        values,
        target=target,
        normalized=document.accessors[index].normalized,
        with_range="min" in entry or "max" in entry,
    )
    for name in ("name", "extras"):
        if name in entry:
            document.json["accessors"][added][name] = entry[name]
    return added


def take_vertices(
    document: GlbDocument, accessors: Iterable[int], rows: Integers
) -> dict[int, int]:
    """Append an accessor with these rows of each accessor; return old to new indices."""
    return {index: add_like(document, index, stored(document, index)[rows]) for index in accessors}


class Rewriter:
    """Rewrites accessors. In place where nothing else reads the bytes, else in a new accessor.

    Each accessor is rewritten once for each role (such as ``POSITION``) and change, however often
    it is used.

    Args:
        document: The document.
        uniform: Each role has one change only, the same for all who use the accessor.
    """

    def __init__(self, document: GlbDocument, *, uniform: bool) -> None:
        self._document = document
        self._done: dict[tuple[object, ...], int] = {}
        self._users = _users(document.json, uniform=uniform)
        self._exclusive: dict[int, bool] = {}

    def rewrite(
        self,
        holder: JsonObject,
        key: str,
        *,
        role: str,
        change: Callable[[Floats], Floats],
        label: object = None,
        with_range: bool = False,
        target: int | None = ARRAY_BUFFER,
    ) -> None:
        """Rewrite the accessor that ``holder[key]`` names.

        Args:
            holder: JSON of what uses it.
            key: Where in that.
            role: What it is used as.
            change: From its elements, shape (count, components), to the new ones.
            label: Tells changes of one role apart.
            with_range: Declare ``min`` and ``max`` though the accessor did not.
            target: Of the buffer view, where there is a new one.

        Raises:
            InvalidOption: A number left the range of float32.
        """
        index = holder[key]
        mark = (index, role, label)
        if mark not in self._done:
            self._done[mark] = self._rewritten(
                index, change, with_range=with_range, target=target, alone=self._alone(index)
            )
        if self._done[mark] != index:
            self._document.edit_json()
            holder[key] = self._done[mark]
            self._document.drop("accessors", index)

    def _alone(self, index: int) -> bool:
        """Tell whether one change serves all who read the accessor: it then may be in place."""
        if any(mark[0] == index for mark in self._done):
            return False
        return self._users.get(index, 0) <= 1

    def _rewritten(
        self,
        index: int,
        change: Callable[[Floats], Floats],
        *,
        with_range: bool,
        target: int | None,
        alone: bool,
    ) -> int:
        document = self._document
        with np.errstate(over="ignore", invalid="ignore"):
            values = change(numbers(document, index)).astype(np.float32)
        if not np.isfinite(values).all():
            raise InvalidOption(
                "The transform moves numbers beyond what float32 can hold; use a smaller one.",
                field="scale_factor,height_m,longest_side_m,fit_box,bake",
            )
        entry = document.json["accessors"][index]
        ranged = with_range or "min" in entry or "max" in entry
        accessor = document.accessors[index]
        if alone and accessor.component_type == _FLOAT and self._is_exclusive(accessor):
            _elements(document, accessor)[:] = values
            if ranged:
                entry = document.edit_json()["accessors"][index]
                entry.update(min=values.min(axis=0).tolist(), max=values.max(axis=0).tolist())
            return index
        added = document.add_accessor(values, target=target, with_range=ranged)
        for name in ("name", "extras"):
            if name in entry:
                document.json["accessors"][added][name] = entry[name]
        return added

    def _is_exclusive(self, accessor: Accessor) -> bool:
        """Tell whether no other accessor and no other view reads the bytes."""
        if accessor.view is None or accessor.sparse:
            return False
        if accessor.view not in self._exclusive:
            self._exclusive[accessor.view] = _stands_alone(self._document, accessor.view)
        return self._exclusive[accessor.view]


def _users(json: JsonObject, *, uniform: bool) -> dict[int, int]:
    """By how many each accessor is used; all of one role are one where changes are uniform."""
    found: dict[int, set[object]] = {}
    for place, reference in enumerate(references(json)):
        if reference.array != "accessors" or reference.owner is None:
            continue
        owner, key = reference.owner[0], reference.key
        if uniform and owner == "meshes" and key != "indices":
            continue  # `_layers` tells vertices from morph targets.
        same = uniform and owner == "skins"
        found.setdefault(reference.index, set()).add(owner if same else place)
    for role, layer in _layers(json) if uniform else ():
        for name, index in layer.items():
            found.setdefault(index, set()).add(role + name)
    return {index: len(users) for index, users in found.items()}


def _layers(json: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for mesh in json.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            yield "", primitive.get("attributes", {})
            yield from (("target ", target) for target in primitive.get("targets", []))


def _stands_alone(document: GlbDocument, view: int) -> bool:
    """Tell whether the accessors of a view share no byte with one another or another view's."""
    if not document.owns(view):
        if not document.shares_chunk(view):
            return False
        own = document.views[view]
        for index, other in enumerate(document.views):
            if index != view and document.shares_chunk(index) and not other.compressed:
                apart = other.start >= own.start + own.length
                if not (apart or own.start >= other.start + other.length):
                    return False
    stride = document.views[view].stride
    parts = [
        part
        for accessor in document.accessors
        for part in (accessor, *_sparse_parts(accessor))
        if part.view == view
    ]
    if len(parts) > _MOST_NEIGHBOURS:
        return False
    ends = [part.offset + _extent(part, stride) for part in parts]
    return all(
        ends[one] <= second.offset
        or ends[two] <= first.offset
        or _interleaved(first, second, stride)
        for one, first in enumerate(parts)
        for two, second in enumerate(parts)
        if one < two
    )


def _sparse_parts(accessor: Accessor) -> tuple[Accessor, ...]:
    return (accessor.sparse.indices, accessor.sparse.values) if accessor.sparse else ()


def _extent(accessor: Accessor, stride: int | None) -> int:
    return (stride or accessor.element_bytes) * (accessor.count - 1) + accessor.element_bytes


def _interleaved(first: Accessor, second: Accessor, stride: int | None) -> bool:
    if stride is None:
        return False
    low, high = sorted((first, second), key=lambda part: part.offset % stride)
    start, after = low.offset % stride, high.offset % stride
    return start + low.element_bytes <= after and after + high.element_bytes <= start + stride


def _elements(document: GlbDocument, accessor: Accessor) -> Floats:
    """A float accessor's elements for changing, shape (count, components)."""
    view = accessor.view or 0
    stride = document.views[view].stride or accessor.element_bytes
    found: Floats = np.ndarray(
        (accessor.count, accessor.components),
        "<f4",
        buffer=document.edit_view(view),
        offset=accessor.offset,
        strides=(stride, 4),
    )
    return found
