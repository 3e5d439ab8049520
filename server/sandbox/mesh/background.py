"""Tell a subject from a plain or softly shaded background by colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from server.sandbox.mesh.colour import lab

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Colours, Field, Mask

__all__ = ["remove_background"]

# Distances below are CIE76 delta E, where 2.3 is a just noticeable difference. The values were
# chosen on rendered subjects; `tests/sandbox/test_subject.py` holds the cases.
_BORDER = 0.02  # Width of the border that is taken for background, as a part of the shorter side.
_LEAST_TOLERANCE = 2.8
_NEAREST = 1.5  # Tolerance for a border of one exact colour.
_PER_STRAY = 6.0
_LARGEST_TOLERANCE = 16.0
_BUSY = 20.0  # A border that varies by more than this is no background.
_HOLE_AREA = 0.002  # Enclosed background smaller than this part of the picture is filled.
_CHANNEL = 2  # Pixels: background does not reach through gaps narrower than about twice this.
_FIT_ROUNDS = 4
_OUTLIER = 2.5  # Times the median residual.
_BLOCK = 31  # Pixels around a contrast: JPEG blocks with halved chroma reach 15 to either side.
_SURE = 5.0  # Times the tolerance: certainly subject, however colourful its neighbours are.
_EDGE_BAND = 5  # Pixels, over which an antialiased edge spreads.


@dataclass(frozen=True, slots=True)
class _Background:
    """How far each pixel is from the expected background, and how far background itself strays."""

    distance: Field
    stray: float


def remove_background(colours: Colours, *, echo: float) -> Field | None:
    """Estimate each pixel's coverage by the subject.

    The border is taken for background, as a quadratic in x and y, so that a vignette or a studio
    gradient is followed. Background is what is near it in colour and connected to the border:
    parts of the subject that happen to have its colour stay.

    Args:
        colours: (h, w, 3) sRGB in 0..1.
        echo: How much of a contrast compression echoes around it, as a part.

    Returns:
        (h, w) in 0..1, antialiased along the outline; `None` where the border is too varied to be
        a background.
    """
    found = _compare_with_border(lab(colours))
    if found.stray > _BUSY:
        return None
    tolerance = float(
        np.clip(_NEAREST + _PER_STRAY * found.stray, _LEAST_TOLERANCE, _LARGEST_TOLERANCE)
    )
    near = found.distance < tolerance
    around = _with_echoes(_connected_to_border(near), found.distance, echo=echo)
    outside = around | _true_holes(near & ~around, found)
    return _antialiased(~outside, found.distance, tolerance=tolerance)


def _compare_with_border(pixels: Colours) -> _Background:
    """Fit the border's colours, dropping what is not background, and compare every pixel."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    wide = max(2, round(min(height, width) * _BORDER))
    border = np.ones((height, width), dtype=bool)
    border[wide:-wide, wide:-wide] = False
    basis, samples = terms[border], pixels[border]
    # The median colour first: a quadratic would follow a subject that touches the border.
    residual = np.linalg.norm(samples - np.median(samples, axis=0), axis=1)
    for _ in range(_FIT_ROUNDS):
        kept = residual <= max(_OUTLIER * float(np.median(residual)), 1.0)
        weights = np.linalg.lstsq(basis[kept], samples[kept], rcond=None)[0]
        residual = np.linalg.norm(samples - basis @ weights, axis=1)
    distance = np.linalg.norm(pixels - terms @ weights, axis=-1)
    return _Background(distance=distance, stray=float(np.quantile(residual, 0.75)))


def _with_echoes(around: Mask, distance: Field, *, echo: float) -> Mask:
    """Add what JPEG or WebP blocks with a strong contrast in them have stirred up beside it."""
    if echo == 0:
        return around
    stirred = distance < echo * ndimage.maximum_filter(distance, size=_BLOCK)
    grown: Mask = ndimage.binary_dilation(around, iterations=_BLOCK // 2, mask=stirred | around)
    return grown


def _connected_to_border(near: Mask) -> Mask:
    """Flood from the border, without leaking through narrow gaps into the subject."""
    wide = ndimage.binary_erosion(near, iterations=_CHANNEL, border_value=1)
    labels, _ = ndimage.label(wide)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reached = np.isin(labels, np.setdiff1d(edge, [0]))
    grown: Mask = ndimage.binary_dilation(reached, iterations=_CHANNEL + 1, mask=near)
    return grown


def _true_holes(enclosed: Mask, found: _Background) -> Mask:
    """Find enclosed areas that look through: as like the background as the border itself."""
    core = ndimage.binary_erosion(enclosed, iterations=2 * _CHANNEL)
    labels, count = ndimage.label(core)
    if count == 0:
        return np.zeros_like(enclosed)
    numbers = np.arange(1, count + 1)
    area = ndimage.sum_labels(core, labels, numbers)
    distance = ndimage.median(found.distance, labels, numbers)
    alike = distance < max(1.0, 1.5 * found.stray)
    seeds = np.isin(labels, numbers[alike & (area > _HOLE_AREA * core.size)])
    grown: Mask = ndimage.binary_propagation(seeds, mask=enclosed)
    return grown


def _antialiased(subject: Mask, distance: Field, *, tolerance: float) -> Field:
    """Soften the outline by how much of the subject's colour each pixel along it holds."""
    full = np.minimum(ndimage.maximum_filter(distance, size=_EDGE_BAND), _SURE * tolerance)
    share = np.clip(distance / np.maximum(full, 1e-6), 0, 1)
    inner = ndimage.binary_erosion(subject, iterations=2, border_value=1)
    reach = ndimage.binary_dilation(subject)
    return np.where(inner, 1.0, np.where(reach, share, 0.0))
