"""The colour of a material at points of its surface, in light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.operations.resize import Filtering, fitted_size, resize, to_light
from asset_processing.operations.textures import texture_slots
from asset_processing.pixels import Undecodable, decode
from asset_processing.uv import base_texture, shown_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["Look", "Sheet", "load_look"]

_LONGEST_PX = 1024  # Of a texture that is looked at from afar.
_CLAMP, _MIRROR = 33071, 33648  # glTF 2.0, 5.26.3.
_BLEND_CUTOFF = 0.1  # A picture without blending leaves out what is nearly clear.


@dataclass(frozen=True, slots=True)
class Sheet:
    """A texture as light.

    Attributes:
        info: The material's reference to it.
        texels: Red, green, blue and alpha, 0 to 1, shape (height, width, 4).
        wrap: What lies beyond the edges, across and down.
    """

    info: JsonObject
    texels: NDArray[np.float32]
    wrap: tuple[int, int]

    def at(self, uv: Floats) -> NDArray[np.float32]:
        """Return the colours at coordinates of shape (points, 2), blended from four texels."""
        height, width = self.texels.shape[:2]
        x, y = uv[:, 0] * width - 0.5, uv[:, 1] * height - 0.5
        left, top = np.floor(x), np.floor(y)
        across, down = (x - left)[:, None], (y - top)[:, None]
        columns = [_wrapped(left + step, width, self.wrap[0]) for step in (0, 1)]
        rows = [_wrapped(top + step, height, self.wrap[1]) for step in (0, 1)]
        upper, lower = (
            self.texels[row, columns[0]] * (1 - across) + self.texels[row, columns[1]] * across
            for row in rows
        )
        found: NDArray[np.float32] = (upper * (1 - down) + lower * down).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a material looks like from afar.

    Attributes:
        factor: Red, green, blue and alpha in light, 0 to 1, shape (4,).
        base: Texture that multiplies it.
        emitted: Red, green and blue in light, shape (3,).
        emissive: Texture that multiplies that.
        cutoff: Alpha below which nothing is drawn.
        unlit: Light does not change it.
    """

    factor: Floats
    base: Sheet | None
    emitted: Floats
    emissive: Sheet | None
    cutoff: float
    unlit: bool


def load_look(document: GlbDocument, material: int | None) -> Look:
    """Read a material; None is glTF's default one. Textures that cannot be read are white."""
    values = {} if material is None else document.json["materials"][material]
    extensions = values.get("extensions", {})
    old = extensions.get("KHR_materials_pbrSpecularGlossiness", {})
    surface = values.get("pbrMetallicRoughness", {})
    default = old.get("diffuseFactor", (1, 1, 1, 1))
    strength = extensions.get("KHR_materials_emissive_strength", {}).get("emissiveStrength", 1)
    mode = values.get("alphaMode", "OPAQUE")
    cutoffs = {"MASK": float(values.get("alphaCutoff", 0.5)), "BLEND": _BLEND_CUTOFF}
    emissive = dict(texture_slots(values)).get("emissiveTexture")
    return Look(
        factor=np.array(surface.get("baseColorFactor", default), dtype=np.float64),
        base=_sheet(document, base_texture(document, material)),
        emitted=np.array(values.get("emissiveFactor", (0, 0, 0)), dtype=np.float64) * strength,
        emissive=_sheet(document, emissive),
        cutoff=cutoffs.get(mode, 0.0),
        unlit="KHR_materials_unlit" in extensions,
    )


def _sheet(document: GlbDocument, texture: JsonObject | None) -> Sheet | None:
    if texture is None:
        return None
    for image in shown_images(document, texture):
        try:
            pixels = decode(document.images[image], to_look=True)
        except Undecodable:
            continue
        width, height = fitted_size(pixels.shape[1], pixels.shape[0], longest=_LONGEST_PX)
        if (height, width) != pixels.shape[:2]:
            pixels = resize(pixels, width=width, height=height, filtering=Filtering.COLOR)
        texels = np.ones((height, width, 4), dtype=np.float32)
        texels[..., :3] = to_light(pixels[..., :3])
        if pixels.shape[2] == 4:  # noqa: PLR2004  # RGBA.
            texels[..., 3] = pixels[..., 3] / np.float32(255)
        return Sheet(texture, texels, _wrap(document, texture))
    return None


def _wrap(document: GlbDocument, texture: JsonObject) -> tuple[int, int]:
    number = document.json["textures"][texture["index"]].get("sampler")
    sampler = {} if number is None else document.json["samplers"][number]
    repeat = 10497
    return int(sampler.get("wrapS", repeat)), int(sampler.get("wrapT", repeat))


def _wrapped(place: Floats, size: int, wrap: int) -> Integers:
    if wrap == _MIRROR:
        turn = np.mod(place, 2 * size)
        place = np.minimum(turn, 2 * size - 1 - turn)
    elif wrap != _CLAMP:
        place = np.mod(place, size)
    return np.clip(place, 0, size - 1).astype(np.int64)
