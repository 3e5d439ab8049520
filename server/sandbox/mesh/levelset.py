"""The outline as the zero line of a smooth function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Points

__all__ = ["LevelSet"]

_HALF = 0.5
_LEAST_BLUR = 1.0  # Pixels: enough to take the steps out of a hard-edged mask.
_BLUR_PER_SPACING = 0.35  # Detail that the lattice cannot hold would only make it ragged.


@dataclass(frozen=True, slots=True)
class LevelSet:
    """Positive inside the subject, zero on its outline, negative outside.

    Attributes:
        values: (h, w), with a border of outside around the picture.
        slope_x: Its derivative along x, per pixel.
        slope_y: Its derivative along y, per pixel.
    """

    values: Field
    slope_x: Field
    slope_y: Field

    @classmethod
    def from_coverage(cls, coverage: Field, *, spacing: float) -> Self:
        """Smooth the coverage for a lattice whose nodes are `spacing` pixels apart."""
        blur = max(_LEAST_BLUR, _BLUR_PER_SPACING * spacing)
        values = ndimage.gaussian_filter(coverage, blur, mode="constant") - _HALF
        slope_y, slope_x = np.gradient(values)
        return cls(values=values, slope_x=slope_x, slope_y=slope_y)

    def at(self, points: Points) -> Field:
        """Interpolate the value at (..., 2) points; outside the picture is outside the subject."""
        return _sample(self.values, points, outside=-_HALF)

    def onto_outline(self, points: Points, *, reach: float) -> Points:
        """Move points along the gradient to the zero line, by at most `reach` pixels."""
        slope = np.stack([_sample(self.slope_x, points), _sample(self.slope_y, points)], axis=-1)
        steepness = np.maximum((slope**2).sum(axis=-1, keepdims=True), 1e-6)
        step = -self.at(points)[..., None] * slope / steepness
        length = np.linalg.norm(step, axis=-1, keepdims=True)
        moved: Points = points + step * np.minimum(1, reach / np.maximum(length, 1e-12))
        return moved


def _sample(field: Field, points: Points, *, outside: float = 0.0) -> Field:
    sampled: Field = ndimage.map_coordinates(
        field, [points[..., 1], points[..., 0]], order=1, mode="constant", cval=outside
    )
    return sampled
