"""Maps that an engine wants and glTF does not have, made beside the GLB.

Unity's metallic map holds metalness in red and smoothness in alpha (Unity Manual, "Metallic Mode");
Unreal's convention is occlusion, roughness and metalness in red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asset_processing.pixels import Pixels, Undecodable, decode, encode
from asset_processing.profiles import TexturePacking
from asset_processing.uv import shown_images

if TYPE_CHECKING:
    from asset_processing._fields import JsonObject
    from asset_processing.document import GlbDocument

__all__ = ["PackedMap", "pack_maps"]

_Plane = NDArray[np.float32]

_MAX_PIXELS = 1 << 27  # Decoded for all materials together.


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedMap:
    """A map for one material.

    Attributes:
        material: Index of the material.
        data: A PNG; None where it could not be made.
        problem: Why not, as part of a sentence; empty where it was made.
    """

    material: int
    data: bytes | None
    problem: str = ""


def pack_maps(document: GlbDocument, packing: TexturePacking) -> list[PackedMap]:
    """Make one map for each material that has metalness, roughness or occlusion textures.

    The factors are multiplied in, and the occlusion's strength; the map has the size of the
    larger of its sources. A missing channel is 1 before its factor (glTF 2.0, 3.9.2).
    """
    if packing is TexturePacking.NONE:
        return []
    left = _MAX_PIXELS
    found = []
    for number, material in enumerate(document.json.get("materials", [])):
        surface = material.get("pbrMetallicRoughness", {})
        rough = surface.get("metallicRoughnessTexture")
        shade = material.get("occlusionTexture") if packing is TexturePacking.ORM else None
        if rough is None and shade is None:
            continue
        left -= sum(_pixels(document, texture) for texture in (rough, shade) if texture)
        if left < 0:
            problem = "the maps are too large"
            found.append(PackedMap(material=number, data=None, problem=problem))
            continue
        try:
            channels = _channels(document, rough, shade)
        except Undecodable as exc:
            found.append(PackedMap(material=number, data=None, problem=str(exc)))
            continue
        occlusion, roughness, metalness = channels
        strength = float((shade or {}).get("strength", 1))
        occlusion = 255 + strength * (occlusion - np.float32(255))
        roughness = roughness * np.float32(surface.get("roughnessFactor", 1))
        metalness = metalness * np.float32(surface.get("metallicFactor", 1))
        bands = [metalness, metalness, metalness, 255 - roughness]
        if packing is TexturePacking.ORM:
            bands = [occlusion, roughness, metalness]
        pixels = np.stack([np.clip(np.rint(band), 0, 255).astype(np.uint8) for band in bands], 2)
        data = encode(pixels, media_type="image/png", lossless=True)
        found.append(PackedMap(material=number, data=data))
    return found


def _channels(
    document: GlbDocument, rough: JsonObject | None, shade: JsonObject | None
) -> tuple[_Plane, _Plane, _Plane]:
    """Occlusion, roughness and metalness, 0 to 255, in one size."""
    if rough is not None and shade is not None and _layout(rough) != _layout(shade):
        raise Undecodable("occlusion and roughness lie on different texture coordinates")
    sources = [
        None if texture is None else _pixels_of(document, texture) for texture in (rough, shade)
    ]
    height, width = np.max([source.shape[:2] for source in sources if source is not None], axis=0)
    size = (int(width), int(height))
    surface, occlusion = sources
    return (
        _band(occlusion, 0, size),
        _band(surface, 1, size),
        _band(surface, 2, size),
    )


def _layout(texture: JsonObject) -> object:
    moved = texture.get("extensions", {}).get("KHR_texture_transform", {})
    return texture.get("texCoord", 0), moved


def _band(pixels: Pixels | None, band: int, size: tuple[int, int]) -> _Plane:
    if pixels is None:
        return np.full((size[1], size[0]), 255, dtype=np.float32)
    from PIL import Image as Pillow  # noqa: PLC0415  # Most files decode no image.

    picture = Pillow.fromarray(np.ascontiguousarray(pixels[..., band], dtype=np.float32))
    return np.asarray(picture.resize(size, Pillow.Resampling.BILINEAR), dtype=np.float32)


def _pixels_of(document: GlbDocument, texture: JsonObject) -> Pixels:
    image = next(shown_images(document, texture), None)
    if image is None:
        raise Undecodable("the texture has no image")
    return decode(document.images[image], to_look=True)


def _pixels(document: GlbDocument, texture: JsonObject) -> int:
    return sum(document.images[image].header.pixels for image in shown_images(document, texture))
