"""Make pixels fewer, each kind of map in the space in which its numbers add up.

Colours are averaged as light (IEC 61966-2-1), weighted by their alpha where that counts, with
Lanczos' filter. Data is averaged over areas, because a filter with negative lobes would invent
values beside every edge. Normals are averaged as vectors and made unit length again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from asset_processing.pixels import Pixels

__all__ = ["Filtering", "fitted_size", "resize", "to_light", "to_srgb"]

_Plane = NDArray[np.float32]
_STRIP = 1 << 20  # Pixels worked on at once: about 30 MB, whatever the size of the image.
_REACH = 3  # Pixels of the result that Lanczos' filter reaches to each side.
_SMALLEST = 1e-6  # Alpha or length below which nothing can be divided.


class Filtering(Enum):
    """What the numbers of a map are."""

    COLOR = "color"  # sRGB; alpha, if any, is one channel more.
    COVERED_COLOR = "covered_color"  # sRGB that counts as far as alpha says.
    NORMAL = "normal"  # Unit vectors, 0 to 255 for -1 to 1.
    DATA = "data"


def fitted_size(width: int, height: int, *, longest: int) -> tuple[int, int]:
    """Return width and height with no side above ``longest``, in the same proportion."""
    side = max(width, height)
    if side <= longest:
        return width, height
    return (
        max(1, (width * longest * 2 + side) // (side * 2)),
        max(1, (height * longest * 2 + side) // (side * 2)),
    )


def resize(pixels: Pixels, *, width: int, height: int, filtering: Filtering) -> Pixels:
    """Return ``width`` x ``height`` pixels.

    Args:
        pixels: At least as many.
        width: In pixels.
        height: In pixels.
        filtering: What the numbers are.
    """
    found = np.empty((height, width, pixels.shape[2]), np.uint8)
    rows = max(1, round(_STRIP / pixels.shape[1] * height / pixels.shape[0]))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip, part = _strip(pixels, top, bottom, size=(width, height))
        found[top:bottom] = _resized(strip, part, filtering)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of the result: how many pixels, and from where in the rows they are made of."""

    size: tuple[int, int]
    box: tuple[float, float, float, float]


def _strip(pixels: Pixels, top: int, bottom: int, *, size: tuple[int, int]) -> tuple[Pixels, _Part]:
    """Return the rows that some rows of the result are made of, with those the filter reaches."""
    height, width = pixels.shape[:2]
    step = height / size[1]
    margin = math.ceil(_REACH * max(step, 1)) + 1
    first = max(0, math.floor(top * step) - margin)
    last = min(height, math.ceil(bottom * step) + margin)
    box = (0.0, top * step - first, float(width), min(bottom * step, height) - first)
    return pixels[first:last], _Part((size[0], bottom - top), box)


def _resized(pixels: Pixels, part: _Part, filtering: Filtering) -> Pixels:
    match filtering:
        case Filtering.COLOR:
            colors = [_scaled(to_light(pixels[..., band]), part, sharp=True) for band in range(3)]
            return _joined([to_srgb(plane) for plane in colors], _alpha(pixels, part))
        case Filtering.COVERED_COLOR if pixels.shape[2] == 4:  # noqa: PLR2004  # RGBA.
            return _covered(pixels, part)
        case Filtering.COVERED_COLOR:
            return _resized(pixels, part, Filtering.COLOR)
        case Filtering.NORMAL:
            return _joined(_normals(pixels, part), _alpha(pixels, part))
    planes = [_scaled(pixels[..., band], part) for band in range(3)]
    return _joined(planes, _alpha(pixels, part))


def to_light(values: Pixels) -> _Plane:
    """Return sRGB values as light, 0 to 1."""
    found: _Plane = _LIGHT[values]
    return found


def _light() -> _Plane:
    steps = np.arange(256) / 255
    light = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004  # IEC 61966-2-1.
    return light.astype(np.float32)


_LIGHT = _light()


def to_srgb(light: _Plane) -> _Plane:
    """Return light as sRGB values, 0 to 255; what is darker or brighter than they go is cut."""
    light = np.clip(light, 0, 1)
    curved = 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055
    found: _Plane = np.where(light <= 0.0031308, light * 12.92, curved) * np.float32(255)  # noqa: PLR2004
    return found


def _covered(pixels: Pixels, part: _Part) -> Pixels:
    """Colours weighted by alpha; where all is transparent, as they are."""
    share = pixels[..., 3].astype(np.float32) / 255
    alpha = _scaled(share, part)
    clear = alpha < _SMALLEST
    planes = []
    for band in range(3):
        light = to_light(pixels[..., band])
        weighted = _scaled(light * share, part) / np.maximum(alpha, _SMALLEST)
        plain = _scaled(light, part) if clear.any() else weighted
        planes.append(to_srgb(np.where(clear, plain, weighted)))
    return _joined(planes, alpha * 255)


def _normals(pixels: Pixels, part: _Part) -> list[_Plane]:
    # 128 is the value nearest to 0 in common encoders; 127.5 is what glTF 2.0 (3.9.3) says.
    signed = pixels[..., :3].astype(np.float32) / np.float32(127.5) - 1
    planes = [_scaled(signed[..., band], part) for band in range(3)]
    length: _Plane = np.sqrt(planes[0] ** 2 + planes[1] ** 2 + planes[2] ** 2)
    lost = length < _SMALLEST
    length = np.maximum(length, _SMALLEST)
    unit: list[_Plane] = [plane / length for plane in planes]
    x, y, z = unit
    x[lost], y[lost], z[lost] = 0, 0, 1
    return [(plane + 1) * np.float32(127.5) for plane in unit]


def _alpha(pixels: Pixels, part: _Part) -> _Plane | None:
    return _scaled(pixels[..., 3], part) if pixels.shape[2] == 4 else None  # noqa: PLR2004


def _scaled(plane: NDArray[np.generic], part: _Part, *, sharp: bool = False) -> _Plane:
    """One channel in 32-bit floats, so that nothing is rounded on the way."""
    from PIL import Image as Pillow  # noqa: PLC0415  # Most files decode no image.

    picture = Pillow.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    method = Pillow.Resampling.LANCZOS if sharp else Pillow.Resampling.BOX
    return np.asarray(picture.resize(part.size, method, part.box), dtype=np.float32)


def _joined(planes: list[_Plane], alpha: _Plane | None) -> Pixels:
    bands = planes if alpha is None else [*planes, alpha]
    return np.stack([np.clip(np.rint(band), 0, 255).astype(np.uint8) for band in bands], axis=2)
