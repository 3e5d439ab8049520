"""Which alpha mode a material's pixels call for; generators write ``OPAQUE`` whatever they made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.operations.textures import AlphaUse
from asset_processing.pixels import Undecodable, decode, has_alpha_channel
from asset_processing.surface import Part, Unreadable, read_surface
from asset_processing.uv import base_texture, covered_texels, shown_images

if TYPE_CHECKING:
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument
    from asset_processing.pixels import Pixels

__all__ = ["AlphaFinding", "alpha_use", "find_alpha", "set_alpha_mode"]

MAX_PIXELS = 1 << 26
"""How many pixels are decoded to look at their alpha; more are not measured."""

_CLEAR, _SOLID = 8, 247  # Lossy formats blur alpha by a few steps.
_SOFT_SHARE = 0.2  # Of what is not clear: the smooth edges of a cut-out are fewer.
_NOISE = 1e-3  # Of all samples: fewer are stray.
_MAX_TRIANGLES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaFinding:
    """A material and what its base colour's alpha holds where the model shows it.

    Attributes:
        material: Index of the material.
        image: Index of the image.
        declared: Its ``alphaMode``.
        use: What the pixels hold; None where they could not be looked at.
    """

    material: int
    image: int
    declared: str
    use: AlphaUse | None

    @property
    def proposed(self) -> str | None:
        """The ``alphaMode`` that the pixels call for; None where nobody can tell."""
        modes = {AlphaUse.MASK: "MASK", AlphaUse.BLEND: "BLEND"}
        return None if self.use is None else modes.get(self.use, "OPAQUE")


def alpha_use(alpha: Pixels) -> AlphaUse:
    """Tell what alpha values, of any shape, hold."""
    lucid = np.count_nonzero(alpha < _SOLID)
    if lucid <= _NOISE * alpha.size:
        return AlphaUse.OPAQUE
    clear = np.count_nonzero(alpha <= _CLEAR)
    half = lucid - clear
    return AlphaUse.BLEND if half > _SOFT_SHARE * (alpha.size - clear) else AlphaUse.MASK


def find_alpha(document: GlbDocument) -> list[AlphaFinding]:
    """Look at every material whose base colour has an alpha channel; decode nothing else.

    Only texels that triangles lie on count: generators leave the rest of an atlas clear.
    """
    found = []
    parts: list[Part] | None = None
    left = MAX_PIXELS
    for number, material in enumerate(document.json.get("materials", [])):
        texture = base_texture(document, number)
        if texture is None:
            continue
        image = next(iter(shown_images(document, texture)), None)
        if image is None or not has_alpha_channel(document.images[image]):
            continue
        use = None
        left -= document.images[image].header.pixels
        if left >= 0:
            try:
                # Copied, so that the colours need not be kept.
                alpha = decode(document.images[image], to_look=True)[..., 3].copy()
                use = alpha_use(alpha)
                if use is not AlphaUse.OPAQUE:
                    parts = _surface(document) if parts is None else parts
                    shown = [part for part in parts if part.material == number]
                    points = covered_texels(document, shown, texture)
                    use = use if points is None else alpha_use(_sampled(alpha, points))
            except Undecodable:
                use = None
        declared = str(material.get("alphaMode", "OPAQUE"))
        factor = material.get("pbrMetallicRoughness", {}).get("baseColorFactor", (1, 1, 1, 1))
        if use is AlphaUse.OPAQUE and factor[3] < 1:
            use = AlphaUse.BLEND  # As a whole.
        found.append(AlphaFinding(material=number, image=image, declared=declared, use=use))
    return found


def set_alpha_mode(document: GlbDocument, material: int, mode: str) -> None:
    """Give a material an ``alphaMode``; what only another one reads goes."""
    values = document.edit_json()["materials"][material]
    for name in ("alphaMode", "alphaCutoff"):
        values.pop(name, None)
    if mode != "OPAQUE":  # The default (glTF 2.0, 5.19.10).
        values["alphaMode"] = mode


def _surface(document: GlbDocument) -> list[Part]:
    try:
        return read_surface(document, max_triangles=_MAX_TRIANGLES)
    except Unreadable:
        return []


def _sampled(alpha: Pixels, points: Floats) -> Pixels:
    height, width = alpha.shape
    x = np.minimum((points[:, 0] * width).astype(np.int64), width - 1)
    y = np.minimum((points[:, 1] * height).astype(np.int64), height - 1)
    found: Pixels = alpha[y, x]
    return found
