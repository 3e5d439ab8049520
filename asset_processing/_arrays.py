"""Arrays as a buffer view stores them (glTF 2.0, 3.6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ARRAY_BUFFER", "ELEMENT_ARRAY_BUFFER", "Packed", "pack"]

ARRAY_BUFFER = 34962
ELEMENT_ARRAY_BUFFER = 34963

_COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_ALIGNMENT = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """An array ready to be written.

    Attributes:
        data: Its bytes.
        component_type: As an accessor declares it.
        type: ``SCALAR``, ``VEC2``...
        count: Elements.
        stride: Bytes from one element to the next; None where they are tightly packed.
    """

    data: memoryview
    component_type: int
    type: str
    count: int
    stride: int | None


def pack(values: NDArray[np.generic], *, aligned: bool) -> Packed:
    """Return an array as little-endian bytes, without a copy where it lies so already.

    Args:
        values: Shape (count,) or (count, components), not empty.
        aligned: Each element begins at a multiple of four, as vertices must.

    Raises:
        TypeError: glTF has no such component type or element.
    """
    name = values.dtype.str[1:]
    width = values.size // max(len(values), 1)
    if name not in _COMPONENTS or width not in _KINDS:
        raise TypeError(f"An accessor cannot hold {values.dtype} of shape {values.shape}.")
    rows = values.reshape(-1, width)
    size = rows.dtype.itemsize * width
    padding = -size % _ALIGNMENT if aligned else 0
    content = np.ascontiguousarray(rows, dtype=rows.dtype.newbyteorder("<"))
    stride = None
    if padding:
        stride = size + padding
        padded = np.zeros((len(rows), stride), np.uint8)
        padded[:, :size] = content.view(np.uint8).reshape(len(rows), size)
        content = padded
    return Packed(
        content.reshape(-1).view(np.uint8).data,
        _COMPONENTS[name],
        _KINDS[width],
        len(rows),
        stride,
    )
