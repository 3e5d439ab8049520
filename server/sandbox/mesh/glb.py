"""Write the surface as GLB, in the shape that the real service's files have."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import trimesh
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.sandbox.mesh.arrays import Points
    from server.sandbox.mesh.atlas import Textures
    from server.sandbox.mesh.solid import Solid

__all__ = ["write_glb"]

_WHITE = (255, 255, 255, 255)
_HEADER = struct.Struct("<4sII")  # glTF 2.0, section 4.4.2: magic, version, length.
_CHUNK = struct.Struct("<I4s")  # Section 4.4.3: length, type.


def write_glb(
    solid: Solid, uv: Points, textures: Textures, *, extras: Mapping[str, object]
) -> bytes:
    """Export with trimesh, as the service does: one primitive, two lossy WebP textures.

    Args:
        solid: The surface.
        uv: (n, 2) texture coordinates, v upwards.
        textures: What it shows.
        extras: Goes to `asset.extras`.
    """
    material = PBRMaterial(  # type: ignore[no-untyped-call]
        name="material_0",
        baseColorTexture=textures.base_colour,
        baseColorFactor=_WHITE,
        metallicRoughnessTexture=textures.metallic_roughness,
        metallicFactor=1.0,
        roughnessFactor=1.0,
        alphaMode="OPAQUE",
        doubleSided=False,
    )
    mesh = trimesh.Trimesh(
        vertices=solid.positions,
        faces=solid.triangles,
        vertex_normals=solid.normals,
        visual=TextureVisuals(uv=uv, material=material),  # type: ignore[no-untyped-call]
        process=False,
        validate=False,
    )
    exported = mesh.export(file_type="glb", extension_webp=True, include_normals=True)
    if not isinstance(exported, bytes):
        raise TypeError("trimesh exports GLB as bytes.")
    return _with_asset_extras(exported, extras)


def _with_asset_extras(glb: bytes, extras: Mapping[str, object]) -> bytes:
    """Put `asset.extras` into the JSON chunk; the binary chunk stays as it is."""
    magic, version, _ = _HEADER.unpack_from(glb)
    length, kind = _CHUNK.unpack_from(glb, _HEADER.size)
    start = _HEADER.size + _CHUNK.size
    document = json.loads(glb[start : start + length])
    document["asset"]["extras"] = dict(extras)
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    rest = glb[start + length :]
    size = start + len(text) + len(rest)
    return b"".join([_HEADER.pack(magic, version, size), _CHUNK.pack(len(text), kind), text, rest])
