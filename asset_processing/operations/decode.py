"""Make vertices plain: no compression, no quantization, nothing sparse.

Godot refuses Draco, meshopt and quantized files, and every operation that reads vertices needs
them plain. What is decoded says the same in more bytes: indices, attributes and their order stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER
from asset_processing._fields import Fields, JsonObject
from asset_processing.accessors import numbers, stored
from asset_processing.draco import DracoError, decode_draco
from asset_processing.errors import InvalidGlb, UnsupportedGlb
from asset_processing.layout import COMPRESSED_VIEW
from asset_processing.operations._vertices import add_like
from asset_processing.primitives import DRACO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from asset_processing.document import GlbDocument
    from asset_processing.layout import Accessor

__all__ = ["decode", "is_plain"]

_QUANTIZED = "KHR_mesh_quantization"
_FLOAT = 5126
_TRIANGLES = 4
_UNSIGNED = (5121, 5123)
_MODES = ("ATTRIBUTES", "TRIANGLES", "INDICES")
_FILTERS = ("NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL", "COLOR")
_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


def is_plain(document: GlbDocument) -> bool:
    """Tell whether `decode` would change nothing."""
    return (
        not any(view.compressed for view in document.views)
        and not any(accessor.sparse for accessor in document.accessors)
        and not any(_draco_of(primitive) for primitive in _primitives(document))
        and not _quantized(document)
    )


def decode(document: GlbDocument) -> None:
    """Decode what is compressed with Draco or meshopt, then what is quantized, then what is sparse.

    Positions, normals and tangents, and texture coordinates that only KHR_mesh_quantization
    allows, become float32; the nodes keep the transforms that undo the quantization. Extensions
    that nothing uses any more are declared no more.

    Args:
        document: Changed in place.

    Raises:
        InvalidGlb: What is compressed is broken, or not what its accessors say.
    """
    _decode_meshopt(document)
    _decode_draco(document)
    _decode_quantized(document)
    _decode_sparse(document)


def _primitives(document: GlbDocument) -> Iterator[JsonObject]:
    for mesh in document.json.get("meshes", []):
        yield from mesh.get("primitives", [])


# ---- EXT_meshopt_compression


def _decode_meshopt(document: GlbDocument) -> None:
    compressed = [index for index, view in enumerate(document.views) if view.compressed]
    for index in compressed:
        view = document.views[index]
        data = _meshopt_bytes(document, index)
        document.replace_view(index, data, stride=view.stride)
    if compressed:
        for name in COMPRESSED_VIEW:
            document.disuse_extension(name)
        for index, content in enumerate(document.buffers):
            if content is None:
                document.drop("buffers", index)


def _meshopt_bytes(document: GlbDocument, index: int) -> memoryview:
    fields = Fields(document.json["bufferViews"][index], f"/bufferViews/{index}")
    extension = next(filter(None, (fields.extension(name) for name in COMPRESSED_VIEW)))
    count, stride = extension.integer("count", minimum=1), extension.integer("byteStride")
    mode = extension.string("mode")
    chosen = extension.string("filter") or "NONE"
    if mode not in _MODES:
        raise extension.refuse("mode", f"must be one of {', '.join(_MODES)}.")
    if chosen not in _FILTERS:
        raise extension.refuse("filter", f"must be one of {', '.join(_FILTERS)}.")
    if count * stride != document.views[index].length:
        raise extension.refuse("count", "times byteStride is not the view's byteLength.")
    buffer = document.buffers[extension.integer("buffer")] or memoryview(b"")
    start = extension.integer("byteOffset", default=0)
    data = bytes(buffer[start : start + extension.integer("byteLength")])
    try:
        import meshopt  # noqa: PLC0415  # Most files do not need it.
    except ImportError:  # It has no wheel for macOS.
        raise UnsupportedGlb(
            "The vertices are compressed with meshopt; the package meshopt, which decodes them, "
            "is not installed.",
            pointer=fields.pointer,
        ) from None
    try:
        found = meshopt.decode_gltf_buffer(
            data, count, stride, mode, None if chosen == "NONE" else chosen
        )
    except (ValueError, RuntimeError) as exc:
        raise InvalidGlb(
            f"{extension.pointer} cannot be decoded: {exc}.", pointer=extension.pointer
        ) from exc
    return np.ascontiguousarray(found).reshape(-1).view(np.uint8).data


# ---- KHR_draco_mesh_compression


def _draco_of(primitive: JsonObject) -> JsonObject | None:
    found: JsonObject | None = primitive.get("extensions", {}).get(DRACO)
    return found


def _decode_draco(document: GlbDocument) -> None:
    found = False
    for mesh, entry in enumerate(document.json.get("meshes", [])):
        for number, primitive in enumerate(entry.get("primitives", [])):
            if _draco_of(primitive) is not None:
                found = True
                pointer = f"/meshes/{mesh}/primitives/{number}/extensions/{DRACO}"
                _decode_primitive(document, primitive, pointer)
    if found:
        document.disuse_extension(DRACO)


def _decode_primitive(document: GlbDocument, primitive: JsonObject, pointer: str) -> None:
    """Give a primitive accessors of its own: those of compressed data may stand for several."""
    view, ids = _draco_fields(document, primitive, pointer)
    attributes = primitive["attributes"]
    count = document.accessors[attributes["POSITION"]].count
    indices = primitive.get("indices")
    total = count if indices is None else document.accessors[indices].count
    strip = primitive.get("mode", _TRIANGLES) != _TRIANGLES
    try:
        faces, values = decode_draco(
            bytes(document.view_bytes(view)),
            triangles=max(total - 2, 0) if strip else total // 3,
            vertices=count,
        )
        decoded = {
            name: _matching(document, attributes[name], values, unique)
            for name, unique in ids.items()
        }
    except DracoError as exc:
        raise InvalidGlb(f"{pointer}: {exc}.", pointer=pointer) from exc
    document.edit_json()
    plain = {
        name: add_like(document, accessor, decoded[name]) if name in decoded else accessor
        for name, accessor in attributes.items()
    }
    declared = 5125 if indices is None else document.accessors[indices].component_type
    document.replace_primitive(
        primitive,
        attributes=plain,
        indices=document.add_accessor(
            faces.reshape(-1).astype(_DTYPES[declared]),
            target=ELEMENT_ARRAY_BUFFER,
            with_range=True,
        ),
    )
    primitive["mode"] = _TRIANGLES
    del primitive["extensions"][DRACO]
    if not primitive["extensions"]:
        del primitive["extensions"]
    document.drop("bufferViews", view)


def _draco_fields(
    document: GlbDocument, primitive: JsonObject, pointer: str
) -> tuple[int, dict[str, int]]:
    extension = Fields(primitive["extensions"][DRACO], pointer)
    view = extension.required_index("bufferView", below=len(document.views))
    ids = extension.child("attributes")
    if ids is None or "POSITION" not in ids.values or "POSITION" not in primitive["attributes"]:
        raise extension.refuse("attributes", "must hold POSITION.")
    for name in ids.values:
        if name not in primitive["attributes"]:
            raise ids.refuse(name, "is no attribute of the primitive.")
    return view, {name: ids.integer(name) for name in ids.values}


def _matching(
    document: GlbDocument, index: int, values: Mapping[int, NDArray[np.generic]], unique: int
) -> NDArray[np.generic]:
    """A decoded attribute in the component type that its accessor declares."""
    accessor = document.accessors[index]
    found = values.get(unique)
    if found is None or found.size != accessor.count * accessor.components:
        raise DracoError(f"the Draco data has no attribute {unique} like /accessors/{index}")
    return found.reshape(accessor.count, -1).astype(_DTYPES[accessor.component_type])


# ---- KHR_mesh_quantization


def _quantized(document: GlbDocument) -> dict[int, str]:
    """The accessors of vertices that the core does not allow (glTF 2.0, 3.7.2.1), by name."""
    return {
        index: name
        for primitive in _primitives(document)
        for attributes in (primitive.get("attributes", {}), *primitive.get("targets", []))
        for name, index in attributes.items()
        if _beyond_core(name, document.accessors[index])
    }


def _beyond_core(name: str, accessor: Accessor) -> bool:
    if accessor.component_type == _FLOAT:
        return False
    if name.startswith("TEXCOORD_"):
        return not accessor.normalized or accessor.component_type not in _UNSIGNED
    return name in {"POSITION", "NORMAL", "TANGENT"}


def _decode_quantized(document: GlbDocument) -> None:
    found = _quantized(document)
    for index, name in found.items():
        values = numbers(document, index).astype(np.float32)
        document.replace_accessor(index, values, target=ARRAY_BUFFER, with_range=name == "POSITION")
    if found or not any(view.compressed for view in document.views):
        document.disuse_extension(_QUANTIZED)


# ---- sparse accessors


def _decode_sparse(document: GlbDocument) -> None:
    for index, accessor in enumerate(document.accessors):
        if accessor.sparse is None:
            continue
        entry = document.json["accessors"][index]
        declared = {name: entry[name] for name in ("min", "max") if name in entry}
        view = accessor.view
        target = None if view is None else document.json["bufferViews"][view].get("target")
        document.replace_accessor(
            index, stored(document, index), target=target, normalized=accessor.normalized
        )
        entry.update(declared)
