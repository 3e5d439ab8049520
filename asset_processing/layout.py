"""Where the file keeps its data: buffers, buffer views and accessors (glTF 2.0, sections 3.6).

Everything here is checked against the bytes that are there, so that what reads through it later
can neither leave its buffer nor allocate more than the limits allow.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asset_processing._fields import Fields
from asset_processing.errors import GlbTooLarge, InvalidGlb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing.limits import Limits

__all__ = [
    "COMPRESSED_VIEW",
    "Accessor",
    "BufferView",
    "Sparse",
    "decode_data_uri",
    "read_accessors",
    "read_buffers",
    "read_views",
]

# Vendors' names of one format: the buffer view's bytes are the compressed ones.
COMPRESSED_VIEW = ("EXT_meshopt_compression", "KHR_meshopt_compression")

_COMPONENT_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_ROWS = {"MAT2": 2, "MAT3": 3, "MAT4": 4}
_INDEX_TYPES = (5121, 5123, 5125)
_MIN_STRIDE, _MAX_STRIDE = 4, 252


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferView:
    """A range of a buffer.

    Attributes:
        buffer: Index of the buffer.
        start: First byte in the buffer.
        length: Bytes.
        stride: Bytes from one element to the next; None is tightly packed.
        compressed: The bytes are meshopt's; ``start`` and ``length`` are those after decoding.
    """

    buffer: int
    start: int
    length: int
    stride: int | None
    compressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparse:
    """Elements of an accessor that differ from its base (glTF 2.0, 3.6.2.3)."""

    count: int
    indices: Accessor
    values: Accessor


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessor:
    """A typed reading of a buffer view.

    Attributes:
        view: Index of the buffer view; None reads as zeros (or is filled by an extension).
        offset: First byte in the view.
        component_type: 5120 int8, 5121 uint8, 5122 int16, 5123 uint16, 5125 uint32, 5126 float32.
        type: ``SCALAR``, ``VEC2``... ``MAT4``.
        count: Elements.
        normalized: Integers stand for fractions of their range.
        sparse: What replaces some elements.
    """

    view: int | None
    offset: int
    component_type: int
    type: str
    count: int
    normalized: bool = False
    sparse: Sparse | None = None

    @property
    def components(self) -> int:
        """Numbers in one element."""
        return _COMPONENTS[self.type]

    @property
    def component_bytes(self) -> int:
        """Bytes of one number."""
        return _COMPONENT_BYTES[self.component_type]

    @property
    def column_bytes(self) -> int:
        """Bytes of a matrix column: each starts at a multiple of four (glTF 2.0, 3.6.2.4)."""
        rows = _ROWS.get(self.type, self.components)
        unpadded = rows * self.component_bytes
        return unpadded + (-unpadded % 4 if self.type in _ROWS else 0)

    @property
    def element_bytes(self) -> int:
        """Bytes of one element, with a matrix's padding between columns."""
        columns = self.components // _ROWS.get(self.type, self.components)
        return columns * self.column_bytes


def read_buffers(
    document: Fields, binary: memoryview, *, limits: Limits
) -> tuple[memoryview | None, ...]:
    """Return the bytes of each buffer; None where only compressed views stand for them.

    Raises:
        InvalidGlb: A buffer lies outside the file or is shorter than declared.
        GlbTooLarge: The ``data:`` URIs are over their limit.
    """
    budget = limits.max_data_uri_bytes
    found: list[memoryview | None] = []
    for position, buffer in enumerate(document.children("buffers")):
        length = buffer.integer("byteLength", minimum=1)
        content = _buffer_content(buffer, binary if position == 0 else None, budget)
        if "uri" in buffer.values and content is not None:
            budget -= len(content)
        if content is not None and len(content) < length:
            raise buffer.refuse("byteLength", f"is {length}, but there are {len(content)} bytes.")
        found.append(content[:length] if content is not None else None)
    return tuple(found)


def _buffer_content(buffer: Fields, binary: memoryview | None, budget: int) -> memoryview | None:
    if "uri" in buffer.values:
        return memoryview(decode_data_uri(buffer, budget=budget)[1])
    if binary is not None and len(binary):
        return binary
    for name in COMPRESSED_VIEW:
        extension = buffer.extension(name)
        if extension and extension.boolean("fallback"):
            return None
    raise InvalidGlb(
        f"{buffer.pointer} has neither a uri nor a BIN chunk to stand for.", pointer=buffer.pointer
    )


def decode_data_uri(fields: Fields, *, budget: int) -> tuple[str, bytes]:
    """Return the media type and the bytes of the ``data:`` URI in the member ``uri``.

    Any other URI is refused unread: a GLB from the network must not make us open files or hosts.
    """
    uri = fields.string("uri") or ""
    head, comma, body = uri.partition(",")
    if not head.startswith("data:"):
        raise fields.refuse(
            "uri", "points outside the file; embed the data in the GLB's binary chunk."
        )
    if len(body) // 4 * 3 > budget + 3:
        raise GlbTooLarge("The data: URIs are too long.", limit="max_data_uri_bytes")
    if not comma or not head.endswith(";base64"):
        raise fields.refuse("uri", "is a data: URI that is not in base64.")
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise fields.refuse("uri", "is not valid base64.") from None
    return head.removeprefix("data:").removesuffix(";base64"), content


def read_views(document: Fields, buffers: Sequence[memoryview | None]) -> tuple[BufferView, ...]:
    """Return the buffer views, each inside its buffer (glTF 2.0, 3.6.1)."""
    return tuple(
        _read_view(fields, document, buffers) for fields in document.children("bufferViews")
    )


def _read_view(
    fields: Fields, document: Fields, buffers: Sequence[memoryview | None]
) -> BufferView:
    buffer = fields.required_index("buffer", below=len(buffers))
    start = fields.integer("byteOffset", default=0)
    length = fields.integer("byteLength", minimum=1)
    compressed = _check_compressed(fields, buffers)
    available = document.array("buffers")[buffer]["byteLength"]
    if start + length > available:
        raise fields.refuse("byteLength", f"ends behind its buffer of {available} bytes.")
    if buffers[buffer] is None and not compressed:
        raise fields.refuse("buffer", "names a buffer without content.")
    return BufferView(
        buffer=buffer,
        start=start,
        length=length,
        stride=_read_stride(fields),
        compressed=compressed,
    )


def _read_stride(fields: Fields) -> int | None:
    if "byteStride" not in fields.values:
        return None
    stride = fields.integer("byteStride", minimum=1)
    # A compressed view of indices has the stride in the extension; this one is for vertices.
    if not _MIN_STRIDE <= stride <= _MAX_STRIDE or stride % 4:
        raise fields.refuse("byteStride", f"is {stride}; it must be 4, 8, 12... or 252.")
    return stride


def _check_compressed(fields: Fields, buffers: Sequence[memoryview | None]) -> bool:
    for name in COMPRESSED_VIEW:
        extension = fields.extension(name)
        if extension is None:
            continue
        source = buffers[extension.required_index("buffer", below=len(buffers))]
        start = extension.integer("byteOffset", default=0)
        length = extension.integer("byteLength", minimum=1)
        if source is None or start + length > len(source):
            raise extension.refuse("byteLength", "ends behind its buffer.")
        return True
    return False


def read_accessors(
    document: Fields, views: Sequence[BufferView], *, limits: Limits
) -> tuple[Accessor, ...]:
    """Return the accessors, each inside its view, all together within the limits.

    Raises:
        InvalidGlb: An accessor is malformed or leaves its view.
        GlbTooLarge: Together they would decode to more than the limits allow.
    """
    found: list[Accessor] = []
    decoded = implicit = 0
    for fields in document.children("accessors"):
        accessor = _read_accessor(fields, views)
        size = accessor.count * accessor.element_bytes
        decoded += size
        implicit += size if accessor.view is None else 0
        if decoded > limits.max_accessor_bytes or implicit > limits.max_implicit_bytes:
            raise GlbTooLarge(
                f"{fields.pointer}/count is {accessor.count}: the accessors would decode to more "
                "than is allowed.",
                pointer=f"{fields.pointer}/count",
                limit="max_accessor_bytes",
            )
        found.append(accessor)
    return tuple(found)


def _read_accessor(fields: Fields, views: Sequence[BufferView]) -> Accessor:
    kind = fields.string("type")
    if kind not in _COMPONENTS:
        raise fields.refuse("type", f"must be one of {', '.join(_COMPONENTS)}.")
    accessor = Accessor(
        view=fields.index("bufferView", below=len(views)),
        offset=fields.integer("byteOffset", default=0),
        component_type=_component_type(fields, tuple(_COMPONENT_BYTES)),
        type=kind,
        count=fields.integer("count", minimum=1),
        normalized=fields.boolean("normalized"),
        sparse=_read_sparse(fields, kind, views),
    )
    _check_extent(fields, accessor, views)
    for name in ("min", "max"):
        fields.numbers(name, count=accessor.components)
    return accessor


def _component_type(fields: Fields, allowed: tuple[int, ...]) -> int:
    value = fields.integer("componentType")
    if value not in allowed:
        raise fields.refuse("componentType", f"is {value}; it must be one of {allowed}.")
    return value


def _check_extent(fields: Fields, accessor: Accessor, views: Sequence[BufferView]) -> None:
    if accessor.view is None:
        return
    view = views[accessor.view]
    stride = view.stride or accessor.element_bytes
    if stride < accessor.element_bytes:
        raise fields.refuse("bufferView", "has a byteStride smaller than one element.")
    end = accessor.offset + stride * (accessor.count - 1) + accessor.element_bytes
    if end > view.length:
        raise fields.refuse("count", f"needs {end} bytes, but its view has {view.length}.")


def _read_sparse(fields: Fields, kind: str, views: Sequence[BufferView]) -> Sparse | None:
    sparse = fields.child("sparse")
    if sparse is None:
        return None
    count = sparse.integer("count", minimum=1)
    if count > fields.integer("count", minimum=1):
        raise sparse.refuse("count", "is above the accessor's own count.")
    indices = sparse.child("indices") or Fields({}, f"{sparse.pointer}/indices")
    values = sparse.child("values") or Fields({}, f"{sparse.pointer}/values")
    return Sparse(
        count=count,
        indices=_sparse_part(
            indices, "SCALAR", _component_type(indices, _INDEX_TYPES), count, views
        ),
        values=_sparse_part(
            values, kind, _component_type(fields, tuple(_COMPONENT_BYTES)), count, views
        ),
    )


def _sparse_part(
    fields: Fields, kind: str, component_type: int, count: int, views: Sequence[BufferView]
) -> Accessor:
    part = Accessor(
        view=fields.required_index("bufferView", below=len(views)),
        offset=fields.integer("byteOffset", default=0),
        component_type=component_type,
        type=kind,
        count=count,
    )
    _check_extent(fields, part, views)
    return part
