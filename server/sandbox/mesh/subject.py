"""Find the subject of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from server.sandbox.errors import PictureError
from server.sandbox.mesh.background import remove_background

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Mask
    from server.sandbox.mesh.picture import Picture

__all__ = ["find_subject"]

_HALF = 0.5
_CUT_OUT = 0.005  # An alpha channel counts once it hides this part of the picture.
_LEAST_AREA = 0.002  # A smaller subject, as a part of the picture, is none.
_WHOLE_FRAME = 0.94  # A "subject" larger than this is the frame itself.
_LEAST_PIECE = 0.02  # Pieces smaller than this part of the largest one are specks.
_LEAST_HOLE = 0.0005  # Smaller holes, as a part of the picture, are filled.
_SLAB_CORNER = 0.06  # Corner radius of a whole frame, as a part of its shorter side.
_SLAB_MARGIN = 0.01


def find_subject(picture: Picture) -> Field:
    """Tell the subject from the background.

    A meaningful alpha channel is believed. Without one the background is removed by colour. A
    picture that is all subject, or whose border is too varied to be a background, becomes a slab
    with rounded corners that shows the whole frame.

    Returns:
        (h, w) coverage in 0..1; the outline runs where it is one half.

    Raises:
        PictureError: Nothing stands out from the background.
    """
    coverage = picture.alpha
    if coverage is None or float(np.mean(coverage < _HALF)) < _CUT_OUT:
        coverage = remove_background(picture.colours, echo=picture.echo)
    if coverage is None or float(np.mean(coverage > _HALF)) > _WHOLE_FRAME:
        return _slab(picture.colours.shape[0], picture.colours.shape[1])
    kept = _main_pieces(coverage > _HALF)
    if float(kept.mean()) < _LEAST_AREA:
        raise PictureError("No subject could be told from the background of the image.")
    # The antialiased rim of what is kept lies one or two pixels outside it.
    alone = np.where(ndimage.binary_dilation(kept, iterations=2), coverage, 0.0)
    return np.where(_pinholes(kept), 1.0, alone)


def _main_pieces(subject: Mask) -> Mask:
    """Keep the largest connected pieces and drop specks, inside as well as outside."""
    opened = ndimage.binary_opening(subject) if subject.any() else subject
    labels, count = ndimage.label(opened)
    if count == 0:
        return np.zeros_like(subject)
    area = ndimage.sum_labels(np.ones(subject.shape), labels, np.arange(1, count + 1))
    main = np.flatnonzero(area >= _LEAST_PIECE * area.max()) + 1
    # Opening removed thin parts; what still touches a main piece comes back.
    kept: Mask = ndimage.binary_propagation(np.isin(labels, main), mask=subject)
    return kept


def _pinholes(subject: Mask) -> Mask:
    """Find enclosed holes too small to be meant."""
    labels, count = ndimage.label(ndimage.binary_fill_holes(subject) & ~subject)
    area = ndimage.sum_labels(np.ones(subject.shape), labels, np.arange(count + 1))
    small = np.flatnonzero(area < _LEAST_HOLE * subject.size)
    tiny: Mask = np.isin(labels, small[small > 0])
    return tiny


def _slab(height: int, width: int) -> Field:
    """Cover the frame, less a small margin, with rounded corners."""
    short = min(height, width)
    radius = _SLAB_CORNER * short
    y, x = np.mgrid[:height, :width].astype(np.float64)
    inset = _SLAB_MARGIN * short + radius
    away_x = np.maximum(np.abs(x - (width - 1) / 2) - ((width - 1) / 2 - inset), 0)
    away_y = np.maximum(np.abs(y - (height - 1) / 2) - ((height - 1) / 2 - inset), 0)
    coverage: Field = np.clip(_HALF + radius - np.hypot(away_x, away_y), 0, 1)
    return coverage
