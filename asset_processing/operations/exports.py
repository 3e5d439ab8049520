"""The model in other formats, each with what it loses.

STL (binary), PLY 1.0 (binary, little-endian) and OBJ with MTL hold the default scene in its rest
pose, in metres, with glTF's +Y up. glTF with separate files is the GLB itself, taken apart.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.operations.textures import texture_slots
from asset_processing.output_options import ExportFormat
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.surface import Part, read_surface, soup
from asset_processing.uv import base_texture, placed_uv, shown_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument
    from asset_processing.operations.textures import Texture

__all__ = ["export"]

_MAX_TRIANGLES = 4_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The oldest a ZIP can say: the same model gives the same bytes.
_STORED = frozenset({".png", ".jpg", ".webp", ".ktx2"})  # Packed already.


def export(
    document: GlbDocument, kind: ExportFormat, *, textures: tuple[Texture, ...]
) -> OutputFile:
    """Return the model in another format.

    Args:
        document: The model.
        kind: The format.
        textures: Its images, by the names they shall have.

    Raises:
        Unreadable: The triangles cannot be read; for glTF nothing is.
    """
    if kind is ExportFormat.GLTF:
        data = _zipped(_separate(document, textures))
        return _output("model.gltf.zip", "application/zip", data, ())
    parts = read_surface(document, max_triangles=_MAX_TRIANGLES)
    lost = list(_always_lost(document))
    match kind:
        case ExportFormat.STL:
            lost += ["materials", "textures", "texture coordinates", "vertex normals", "names"]
            return _output("model.stl", "model/stl", _stl(parts), lost)
        case ExportFormat.PLY:
            lost += ["materials", "textures", "parts", "names"]
            return _output("model.ply", "application/x-ply", _ply(document, parts), lost)
    lost += list(_lost_by_obj(document))
    data = _zipped(_obj(document, parts, textures))
    return _output("model.obj.zip", "application/zip", data, lost)


def _output(name: str, media_type: str, data: bytes, lost: list[str] | tuple[()]) -> OutputFile:
    return OutputFile(
        name=f"exports/{name}",
        kind=OutputKind.EXPORT,
        media_type=media_type,
        data=data,
        loses=tuple(lost),
    )


def _always_lost(document: GlbDocument) -> Iterator[str]:
    """What no format but glTF has here."""
    for name in ("skins", "animations", "cameras"):
        if document.json.get(name):
            yield name
    if any("targets" in p for m in document.json.get("meshes", []) for p in m["primitives"]):
        yield "morph targets"
    if len(document.json.get("nodes", [])) > 1:
        yield "node hierarchy"
    for name in document.json.get("extensionsUsed", []):
        yield f"extension {name}"


def _lost_by_obj(document: GlbDocument) -> Iterator[str]:
    slots = {
        slot
        for material in document.json.get("materials", [])
        for slot, _ in texture_slots(material)
    }
    if slots & {"pbrMetallicRoughness.metallicRoughnessTexture"}:
        yield "packing of metalness and roughness: MTL programs read one channel for both"
    if "occlusionTexture" in slots:
        yield "occlusion"


def _stl(parts: list[Part]) -> bytes:
    points, faces = soup(parts)
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows = np.zeros(len(faces), dtype=record)
    rows["normal"] = normals / np.where(length > 0, length, 1)
    rows["corners"] = corners
    head = b"Assetwright; metres, +Y up".ljust(80, b" ")
    return head + np.uint32(len(faces)).tobytes() + rows.tobytes()


def _ply(document: GlbDocument, parts: list[Part]) -> bytes:
    points, faces = soup(parts)
    columns: list[tuple[str, str, Floats]] = [
        (name, "float", points[:, axis]) for axis, name in enumerate(("x", "y", "z"))
    ]
    normals = [part.normals(document) for part in parts]
    if all(found is not None for found in normals):
        values = np.concatenate([found for found in normals if found is not None])
        columns += [
            (name, "float", values[:, axis]) for axis, name in enumerate(("nx", "ny", "nz"))
        ]
    uvs = [_uv(document, part) for part in parts]
    if all(found is not None for found in uvs):
        values = np.concatenate([found for found in uvs if found is not None])
        columns += [("s", "float", values[:, 0]), ("t", "float", 1 - values[:, 1])]
    colors = [part.attribute(document, "COLOR_0") for part in parts]
    if all(found is not None for found in colors):
        values = np.concatenate([found[:, :3] for found in colors if found is not None])
        values = np.rint(np.clip(values, 0, 1) * 255)
        names = ("red", "green", "blue")
        columns += [(name, "uchar", values[:, axis]) for axis, name in enumerate(names)]
    types = {"float": "<f4", "uchar": "u1"}
    rows = np.zeros(len(points), dtype=[(name, types[kind]) for name, kind, _ in columns])
    for name, _, column in columns:
        rows[name] = column
    lists = np.zeros(len(faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    lists["count"], lists["corners"] = 3, faces
    head = [
        "ply",
        "format binary_little_endian 1.0",
        "comment Assetwright; metres, +Y up",
        f"element vertex {len(points)}",
        *(f"property {kind} {name}" for name, kind, _ in columns),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    return "\n".join(head).encode() + b"\n" + rows.tobytes() + lists.tobytes()


def _uv(document: GlbDocument, part: Part) -> Floats | None:
    texture = base_texture(document, part.material)
    return placed_uv(document, part, {"texCoord": 0} if texture is None else texture)


def _obj(
    document: GlbDocument, parts: list[Part], textures: tuple[Texture, ...]
) -> Iterator[tuple[str, bytes]]:
    """The OBJ, its MTL and the images, which are numbered from 1 over all parts."""
    lines = ["# Assetwright; metres, +Y up", "mtllib model.mtl"]
    starts = np.ones(3, dtype=np.int64)
    for number, part in enumerate(parts):
        columns = [part.points, _uv(document, part), part.normals(document)]
        if columns[1] is not None:
            columns[1] = columns[1] * (1, -1) + (0, 1)  # OBJ counts from the lower edge.
        lines += [f"o {_word(part.name, f'part_{number}')}", f"usemtl {_mtl_name(part.material)}"]
        for name, values in zip(("v", "vt", "vn"), columns, strict=True):
            if values is not None:
                lines += _rows(name, values)
        lines += _faces(part, starts, [values is not None for values in columns])
        starts += [0 if values is None else len(values) for values in columns]
    yield "model.obj", ("\n".join(lines) + "\n").encode()
    yield "model.mtl", _mtl(document, parts, {t.facts.image: t.facts.file_name for t in textures})
    for texture in textures:
        yield f"textures/{texture.facts.file_name}", bytes(texture.data)


def _rows(name: str, values: Floats) -> list[str]:
    form = name + " %.9g" * values.shape[1]
    return [form % tuple(row) for row in values.tolist()]


def _faces(part: Part, starts: np.ndarray, given: list[bool]) -> list[str]:
    _, has_uv, has_normal = given
    numbers = [part.faces + start for start in starts.tolist()]
    if has_uv and has_normal:
        form, used = "f %d/%d/%d %d/%d/%d %d/%d/%d", numbers
    elif has_uv:
        form, used = "f %d/%d %d/%d %d/%d", numbers[:2]
    elif has_normal:
        form, used = "f %d//%d %d//%d %d//%d", [numbers[0], numbers[2]]
    else:
        form, used = "f %d %d %d", numbers[:1]
    return [
        form % tuple(row) for row in np.stack(used, axis=2).reshape(len(part.faces), -1).tolist()
    ]


def _mtl(document: GlbDocument, parts: list[Part], names: Mapping[int, str]) -> bytes:
    """Wavefront's material file with the metalness extension that Blender and others read."""
    lines = ["# Assetwright"]
    used = {part.material for part in parts}
    for material in sorted(used, key=lambda number: -1 if number is None else number):
        values = {} if material is None else document.json["materials"][material]
        surface = values.get("pbrMetallicRoughness", {})
        color = surface.get("baseColorFactor", (1, 1, 1, 1))
        emitted = values.get("emissiveFactor", (0, 0, 0))
        lines += [
            f"newmtl {_mtl_name(material)}",
            "Kd {:.6g} {:.6g} {:.6g}".format(*color[:3]),
            "Ke {:.6g} {:.6g} {:.6g}".format(*emitted),
            f"d {1 if values.get('alphaMode', 'OPAQUE') == 'OPAQUE' else color[3]:.6g}",
            f"Pm {surface.get('metallicFactor', 1):.6g}",
            f"Pr {surface.get('roughnessFactor', 1):.6g}",
        ]
        maps = dict(texture_slots(values))
        base = base_texture(document, material)
        if base is not None:
            maps["base"] = base
        for slot, key in _MAPS.items():
            if slot in maps:
                image = next(iter(shown_images(document, maps[slot])), None)
                lines += [] if image is None else [f"{key} textures/{names[image]}"]
    return ("\n".join(lines) + "\n").encode()


_MAPS = {
    "base": "map_Kd",
    "emissiveTexture": "map_Ke",
    "normalTexture": "norm",
    "pbrMetallicRoughness.metallicRoughnessTexture": "map_Pr",
}


def _mtl_name(material: int | None) -> str:
    return "default" if material is None else f"material_{material}"


def _word(name: str, otherwise: str) -> str:
    """A name on one line, as OBJ has them: without spaces or control characters."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    return kept or otherwise


def _separate(document: GlbDocument, textures: tuple[Texture, ...]) -> Iterator[tuple[str, bytes]]:
    """The JSON, its buffer, and the images as files (glTF 2.0, 2.4).

    The images' bytes leave the buffer; with an extension whose indices are not known they stay in
    it as well.
    """
    # A document of its own: this one is not for changing.
    apart = type(document).parse(document.to_bytes(), document.limits)
    for texture in textures:
        entry = apart.edit_json()["images"][texture.facts.image]
        view = entry.pop("bufferView", None)
        if view is not None:
            apart.drop("bufferViews", view)
        entry.pop("mimeType", None)
        entry["uri"] = f"textures/{texture.facts.file_name}"
        yield f"textures/{texture.facts.file_name}", bytes(texture.data)
    body, buffer = _halves(apart.to_bytes())
    if buffer:
        body["buffers"][0]["uri"] = "model.bin"
        yield "model.bin", buffer[: body["buffers"][0]["byteLength"]]
    yield "model.gltf", json.dumps(body, ensure_ascii=False, indent=1).encode()


def _halves(glb: bytes) -> tuple[JsonObject, bytes]:
    """The JSON and the binary chunk of a GLB that was written here (glTF 2.0, 4.4)."""
    length = int.from_bytes(glb[12:16], "little")
    body: JsonObject = json.loads(glb[20 : 20 + length])
    rest = glb[20 + length :]
    return body, rest[8 : 8 + int.from_bytes(rest[:4], "little")]


def _zipped(files: Iterator[tuple[str, bytes]]) -> bytes:
    beside = io.BytesIO()
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            suffix = name[name.rfind(".") :]
            entry.compress_type = zipfile.ZIP_STORED if suffix in _STORED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return beside.getvalue()
