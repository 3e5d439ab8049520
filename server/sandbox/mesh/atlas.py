"""Lay out front and back on one square texture, and paint it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from PIL import Image
from scipy import ndimage

from server.sandbox.mesh.colour import luma

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Colours, Field, Points
    from server.sandbox.mesh.solid import Solid

__all__ = ["Atlas", "Textures", "paint"]

_MARGIN = 0.03  # Of a half, on every side: room for mip levels and filtering.
_AROUND = 9  # Pixels within which a part counts as thin.
_RIM = 4.0  # Pixels along the outline whose colour is mixed with the background's.
_SOFT_BACK = (
    0.008  # Blur of the back, as a part of the subject's longer side. More smears eyes to bruises.
)
_BACK_BLEND = 0.10  # Distance from the rim over which front becomes back, likewise.
_ROUGH = 0.62
_ROUGH_BY_LUMA = -0.25  # Brighter is a little glossier.
_ROUGH_NOISE = 0.03
_NOISE_CELLS = 24


@dataclass(frozen=True, slots=True)
class Textures:
    """Both textures as square pictures: RGBA colour, and RGB with roughness in G, metal in B."""

    base_colour: Image.Image
    metallic_roughness: Image.Image


@dataclass(frozen=True, slots=True)
class Atlas:
    """Where the picture lies on the texture.

    Two halves, side by side for a tall subject and one above the other for a wide one; both hold
    the same window of the picture, front first.

    Attributes:
        size: Pixels along each side of the texture.
        columns: 2 for side by side, 1 for one above the other.
        scale: Texture pixels for each picture pixel.
        left: The window's left edge on the picture, in pixels.
        top: The window's top edge.
    """

    size: int
    columns: int
    scale: float
    left: float
    top: float

    @classmethod
    def around(cls, points: Points, *, size: int) -> Self:
        """Choose the layout that shows the region of `points` larger."""
        low, high = points.min(axis=0), points.max(axis=0)
        width, height = np.maximum(high - low, 1.0)
        columns = 2 if height > width else 1
        half = np.array([size / columns, size * columns / 2])
        scale = float(((1 - 2 * _MARGIN) * half / [width, height]).min())
        left, top = (low + high) / 2 - half / scale / 2
        return cls(size=size, columns=columns, scale=scale, left=float(left), top=float(top))

    @property
    def half(self) -> tuple[int, int]:
        """Width and height of each half in texture pixels."""
        return self.size // self.columns, self.size * self.columns // 2

    def coordinates(self, solid: Solid) -> Points:
        """Texture coordinates (n, 2) in 0..1, with v upwards as trimesh wants it."""
        # Points count pixel centres from zero, the window counts from the first pixel's edge.
        texel = (solid.flat + 0.5 - [self.left, self.top]) * self.scale
        width, height = self.half
        texel[solid.front :] += [width, 0] if self.columns == 2 else [0, height]  # noqa: PLR2004
        uv = texel / self.size
        return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)

    def place(self, front: Colours, back: Colours) -> Image.Image:
        """Draw the window of both pictures, (h, w, 3) in 0..1, on the texture."""
        texture = Image.new("RGB", (self.size, self.size))
        width, height = self.half
        texture.paste(self._window(front), (0, 0))
        texture.paste(self._window(back), (width, 0) if self.columns == 2 else (0, height))  # noqa: PLR2004
        return texture

    def _window(self, picture: Colours) -> Image.Image:
        """Cut the window out; beyond its edges the picture goes on with its last colours."""
        width, height = self.half
        right, bottom = self.left + width / self.scale, self.top + height / self.scale
        lack = [-self.left, -self.top, right - picture.shape[1], bottom - picture.shape[0]]
        pad = max(0, int(np.ceil(max(lack))) + 1)
        padded = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        image = Image.fromarray(np.round(padded * 255).astype(np.uint8))
        box = (self.left + pad, self.top + pad, right + pad, bottom + pad)
        return image.resize((width, height), Image.Resampling.BICUBIC, box=box)


def paint(
    colours: Colours, coverage: Field, atlas: Atlas, *, noise: np.random.Generator
) -> Textures:
    """Paint both textures.

    The front is the picture with its colours bled outwards over the outline, so that no background
    shows. The back is the same picture softened, since nobody knows it, and joins the front along
    the rim without a step.
    """
    depth = ndimage.distance_transform_edt(coverage > 0.5)  # noqa: PLR2004
    front = _bled(colours, depth)
    back = _softened(front, coverage, depth)
    base = atlas.place(front, back)
    base.putalpha(255)
    rough = [_roughness(side, noise=noise) for side in (front, back)]
    return Textures(base_colour=base, metallic_roughness=atlas.place(*rough))


def _bled(colours: Colours, depth: Field) -> Colours:
    """Replace what lies outside, and the mixed rim, by the nearest colour well inside."""
    # Half the local thickness at most, so that thin parts keep a colour of their own.
    sure = depth > np.minimum(_RIM, 0.6 * ndimage.maximum_filter(depth, size=_AROUND))
    nearest = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    bled: Colours = colours[tuple(nearest)]
    return bled


def _softened(front: Colours, coverage: Field, depth: Field) -> Colours:
    """Blur inside the subject only, more and more with the distance from the rim."""
    rows, columns = np.nonzero(coverage > 0.5)  # noqa: PLR2004
    side = 1 + max(int(np.ptp(rows)), int(np.ptp(columns)))
    weight = (depth > 0).astype(np.float64)
    blur = _SOFT_BACK * side
    total = np.maximum(ndimage.gaussian_filter(weight, blur, truncate=3), 1e-6)
    soft = np.stack(
        [
            ndimage.gaussian_filter(front[..., k] * weight, blur, truncate=3) / total
            for k in range(3)
        ],
        axis=-1,
    )
    part = np.clip(depth / (_BACK_BLEND * side), 0, 1)
    share = (part * part * (3 - 2 * part))[..., None]
    blended: Colours = np.clip(front * (1 - share) + soft * share, 0, 1)
    return blended


def _roughness(colours: Colours, *, noise: np.random.Generator) -> Colours:
    """Roughness in G from brightness and a slow random variation; no metal."""
    height, width = colours.shape[:2]
    cells = noise.uniform(-1, 1, size=(_NOISE_CELLS, _NOISE_CELLS)).astype(np.float32)
    slow = Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)
    smooth = ndimage.gaussian_filter(luma(colours), 2.0)
    rough = _ROUGH + _ROUGH_BY_LUMA * (smooth - 0.5) + _ROUGH_NOISE * np.asarray(slow)
    return np.stack([np.zeros_like(rough), np.clip(rough, 0.05, 1), np.zeros_like(rough)], axis=-1)
