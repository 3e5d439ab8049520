"""Draco's bitstream: how much it will decode to, and its decoding.

The decoder allocates by the counts in the stream's own header, so those are read and compared with
what the accessors declare before it runs. Source: Draco Bitstream Specification 2.2, sections
Header, Metadata, Sequential and Edgebreaker Connectivity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["DracoError", "decode_draco"]

_HEADER_BYTES = 11
_TRIANGULAR_MESH = 1
_SEQUENTIAL, _EDGEBREAKER = 0, 1
_METADATA = 0x8000
_OLDEST = (2, 2)
_MAX_DEPTH = 8


class DracoError(ValueError):
    """The stream is broken, or not what its accessors say. The text says how."""


def decode_draco(
    data: bytes, *, triangles: int, vertices: int
) -> tuple[NDArray[np.uint32], Mapping[int, NDArray[np.generic]]]:
    """Decode a mesh.

    Args:
        data: The stream.
        triangles: How many it must have.
        vertices: How many it must have.

    Returns:
        Indices, shape (triangles, 3), all below ``vertices``; and the attributes by their unique
        id, each of shape (vertices, components).

    Raises:
        DracoError: The stream is broken or has other counts.
    """
    import DracoPy  # noqa: PLC0415  # 10 MB that most files do not need.

    _check_counts(data, triangles=triangles, vertices=vertices)
    try:
        mesh: Any = DracoPy.decode(data)
    except (DracoPy.FileTypeException, ValueError, RuntimeError) as exc:
        raise DracoError("the Draco data is broken") from exc
    faces = getattr(mesh, "faces", None)
    if faces is None or len(faces) != triangles:
        raise DracoError(f"the Draco data does not have {triangles} triangles")
    found = {attribute["unique_id"]: attribute["data"] for attribute in mesh.attributes}
    if any(len(values) != vertices for values in found.values()):
        raise DracoError(f"the Draco data does not have {vertices} vertices")
    if faces.size and faces.max() >= vertices:
        raise DracoError("the Draco data names a vertex that it does not have")
    return faces.astype(np.uint32), found


def _check_counts(data: bytes, *, triangles: int, vertices: int) -> None:
    reader = _Reader(data)
    if data[:5] != b"DRACO" or len(data) < _HEADER_BYTES:
        raise DracoError("the data is no Draco stream")
    version = (data[5], data[6])
    kind, method = data[7], data[8]
    if kind != _TRIANGULAR_MESH or version < _OLDEST:
        raise DracoError(f"Draco {version[0]}.{version[1]} of kind {kind} is not decoded")
    reader.position = _HEADER_BYTES
    if int.from_bytes(data[9:11], "little") & _METADATA:
        reader.skip_metadata()
    if method == _SEQUENTIAL:
        faces, points = reader.varint(), reader.varint()
    elif method == _EDGEBREAKER:
        reader.position += 1  # How symbols are traversed.
        points, faces = reader.varint(), reader.varint()
    else:
        raise DracoError(f"Draco connectivity {method} is not known")
    # Edgebreaker counts corners before attribute seams split them: never more than the result.
    if faces != triangles or points > vertices:
        raise DracoError(
            f"the Draco data has {faces} triangles and at least {points} vertices where the "
            f"accessors say {triangles} and {vertices}"
        )


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def byte(self) -> int:
        if self.position >= len(self._data):
            raise DracoError("the Draco data is cut off")
        self.position += 1
        return self._data[self.position - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            read = self.byte()
            value |= (read & 0x7F) << shift
            shift += 7
            if not read & 0x80:
                return value
            if shift > 35:  # noqa: PLR2004  # No number of 32 bits is longer.
                raise DracoError("the Draco data holds a number that is too long")

    def skip_metadata(self) -> None:
        for _ in range(self.varint()):
            self.varint()  # The attribute's id.
            self._skip_entries(0)
        self._skip_entries(0)

    def _skip_entries(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise DracoError("the Draco metadata is nested too deep")
        for _ in range(self.varint()):
            self._skip(self.byte())
            self._skip(self.varint())
        for _ in range(self.varint()):
            self._skip(self.byte())
            self._skip_entries(depth + 1)

    def _skip(self, length: int) -> None:
        self.position += length
        if self.position > len(self._data):
            raise DracoError("the Draco data is cut off")
