"""Colour spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Colours, Field

__all__ = ["lab", "luma"]

# IEC 61966-2-1: linear sRGB to CIE XYZ, white point D65.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
_REC_709 = np.array([0.2126, 0.7152, 0.0722])


def lab(colours: Colours) -> Colours:
    """Convert sRGB to CIE L*a*b* (CIE 15:2004), where equal distances look equally far apart."""
    linear = np.where(
        colours <= 0.04045,  # noqa: PLR2004  # From the sRGB standard, like the rest of this line.
        colours / 12.92,
        ((colours + 0.055) / 1.055) ** 2.4,
    )
    xyz = linear @ _TO_XYZ.T / _WHITE
    delta = 6 / 29
    root = np.where(xyz > delta**3, np.cbrt(xyz), xyz / (3 * delta**2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def luma(colours: Colours) -> Field:
    """Weigh sRGB channels to brightness in 0..1."""
    brightness: Field = colours @ _REC_709
    return brightness
