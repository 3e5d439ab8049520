"""Accessors as arrays (glTF 2.0, 3.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asset_processing.errors import InvalidGlb, UnsupportedGlb

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument
    from asset_processing.layout import Accessor

__all__ = [
    "Floats",
    "Integers",
    "declared_range",
    "extent",
    "integers",
    "is_decodable",
    "numbers",
    "stored",
]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_FLOAT = 5126
_BLOCK = 64  # Rows reduced side by side, so that the processor takes many at once.


def is_decodable(document: GlbDocument, index: int) -> bool:
    """Tell whether an accessor can be read: its view is not compressed."""
    view = document.accessors[index].view
    return view is None or not document.views[view].compressed


def numbers(document: GlbDocument, index: int) -> Floats:
    """Return an accessor's elements as a new array, shape (count, components).

    Normalized integers become fractions (glTF 2.0, 3.11) and sparse elements are in place.

    Raises:
        InvalidGlb: An element is not finite, or a sparse index is out of order.
        UnsupportedGlb: The view is compressed.
    """
    accessor = document.accessors[index]
    values = stored(document, index).astype(np.float64)
    if not np.isfinite(values).all():
        pointer = f"/accessors/{index}"
        raise InvalidGlb(f"{pointer} holds numbers that are not finite.", pointer=pointer)
    return _fractions(accessor, values) if accessor.normalized else values


def integers(document: GlbDocument, index: int) -> Integers:
    """Return an accessor's stored integers as a new array, shape (count, components).

    Raises:
        InvalidGlb: The accessor holds floats.
        UnsupportedGlb: The view is compressed.
    """
    if document.accessors[index].component_type == _FLOAT:
        pointer = f"/accessors/{index}"
        raise InvalidGlb(f"{pointer} must hold integers.", pointer=pointer)
    return stored(document, index).astype(np.int64)


def declared_range(document: GlbDocument, index: int) -> tuple[Floats, Floats] | None:
    """Return the ``min`` and ``max`` that an accessor declares, as fractions where normalized."""
    accessor = document.accessors[index]
    fields = document.json["accessors"][index]
    if "min" not in fields or "max" not in fields:
        return None
    low, high = np.array([fields["min"], fields["max"]], dtype=np.float64)
    if accessor.normalized:
        return _fractions(accessor, low), _fractions(accessor, high)
    return low, high


def extent(values: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return the least and the largest of each column of at least one row, shape (columns,).

    What is no number comes out as such. Many times as fast as numpy's own along a short axis.
    """
    columns = values.shape[1]
    whole = len(values) // _BLOCK * _BLOCK
    low, high = [], []
    if whole and values.flags.c_contiguous:
        blocks = values[:whole].reshape(-1, _BLOCK * columns)
        low.append(blocks.min(axis=0).reshape(-1, columns))
        high.append(blocks.max(axis=0).reshape(-1, columns))
        values = values[whole:]
    low.append(values)
    high.append(values)
    least: Floats = np.concatenate(low).min(axis=0).astype(np.float64)
    most: Floats = np.concatenate(high).max(axis=0).astype(np.float64)
    return least, most


def _fractions(accessor: Accessor, values: Floats) -> Floats:
    if accessor.component_type == _FLOAT:
        return values
    return np.maximum(values / np.iinfo(_DTYPES[accessor.component_type]).max, -1.0)


def stored(document: GlbDocument, index: int) -> NDArray[np.generic]:
    """Return an accessor's elements in their own type, shape (count, components).

    A view into the file where nothing is sparse: not for changing.

    Raises:
        InvalidGlb: A sparse index is out of order.
        UnsupportedGlb: The view is compressed.
    """
    accessor = document.accessors[index]
    values = _elements(document, accessor)
    sparse = accessor.sparse
    if sparse is None:
        return values
    places = _elements(document, sparse.indices)[:, 0].astype(np.int64)
    if (np.diff(places) <= 0).any() or places[-1] >= accessor.count:
        pointer = f"/accessors/{index}/sparse/indices"
        raise InvalidGlb(f"{pointer} must rise and stay below the count.", pointer=pointer)
    filled = values.copy()
    filled[places] = _elements(document, sparse.values)
    return filled


def _elements(document: GlbDocument, accessor: Accessor) -> NDArray[np.generic]:
    """A view into the file, without a copy; zeros where no buffer view backs it."""
    dtype = np.dtype(_DTYPES[accessor.component_type])
    shape = (accessor.count, accessor.components)
    if accessor.view is None:
        return np.zeros(shape, dtype)
    view = document.views[accessor.view]
    if view.compressed:
        raise UnsupportedGlb(
            "The vertices are compressed with meshopt; ask for decode to read them.",
            pointer=f"/bufferViews/{accessor.view}",
        )
    stride = view.stride or accessor.element_bytes
    return np.ndarray(
        shape,
        dtype,
        buffer=document.view_bytes(accessor.view),
        offset=accessor.offset,
        strides=(stride, dtype.itemsize),
    )
