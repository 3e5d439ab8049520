"""Which triangle covers which pixel: for UV coverage and for pictures.

Every triangle's bounding box is tried pixel by pixel, with numpy doing many triangles at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing.accessors import Floats, Integers

__all__ = ["Hits", "TooManyPixels", "rasterize"]

_CHUNK = 1 << 19  # Pixels tried at once: about 80 MB.


class TooManyPixels(Exception):
    """The triangles cover more pixels than were allowed."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Pixels whose centre lies in a triangle.

    Attributes:
        triangles: Row of the triangle for each hit, shape (hits,).
        pixels: ``y * width + x`` of the pixel, shape (hits,).
        weights: Barycentric weights of the triangle's corners, shape (hits, 3).
    """

    triangles: Integers
    pixels: Integers
    weights: Floats


def rasterize(
    corners: Floats, *, width: int, height: int, max_tried: int = 1 << 29
) -> Iterator[Hits]:
    """Yield which pixels the triangles cover; of a shared edge every pixel belongs to one of them.

    Args:
        corners: In pixels, where the first pixel's centre is (0.5, 0.5); shape (triangles, 3, 2).
            Both windings are drawn. Triangles without area cover nothing.
        width: Of the grid. What lies outside is cut off.
        height: Of the grid.
        max_tried: How many pixels the bounding boxes may have together.

    Raises:
        TooManyPixels: They have more.
    """
    if not len(corners):
        return
    corners, rows, low, span, area = _prepared(corners, width, height)
    counts = span.prod(axis=1)
    if counts.sum() > max_tried:
        raise TooManyPixels
    ends = np.cumsum(counts)
    start = 0
    while start < len(rows):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _CHUNK, side="right")))
        pick = slice(start, stop)
        yield _tried(corners[pick], rows[pick], low[pick], span[pick], area[pick], width=width)
        start = stop


def _prepared(
    corners: Floats, width: int, height: int
) -> tuple[Floats, Integers, Integers, Integers, Floats]:
    """Turn all triangles alike and leave out those that cover nothing."""
    sides = np.array([width, height])
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    # Corner by corner: numpy reduces short axes slowly.
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    least, most = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    low = np.clip(np.ceil(least - 0.5), 0, sides).astype(np.int64)
    high = np.clip(np.floor(most - 0.5), -1, sides - 1).astype(np.int64)
    span = np.maximum(high - low + 1, 0)
    rows = np.flatnonzero((area != 0) & (span[:, 0] > 0) & (span[:, 1] > 0))
    return corners[rows], rows, low[rows], span[rows], area[rows]


def _tried(  # One row of each for a triangle.
    corners: Floats, rows: Integers, low: Integers, span: Integers, area: Floats, *, width: int
) -> Hits:
    counts = span.prod(axis=1)
    which = np.repeat(np.arange(len(rows)), counts)
    place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    across = span[which, 0]
    x = low[which, 0] + place % across
    y = low[which, 1] + place // across
    weights = np.empty((len(which), 3))
    inside = np.ones(len(which), dtype=bool)
    turn = np.sign(area)
    for corner in range(3):
        begin, end = corners[:, (corner + 1) % 3], corners[:, (corner + 2) % 3]
        edge = (end - begin) * turn[:, None]
        value = edge[which, 0] * (y + 0.5 - begin[which, 1])
        value -= edge[which, 1] * (x + 0.5 - begin[which, 0])
        # Of two triangles that share an edge, one sees it going up and one going down.
        owns = (edge[:, 1] > 0) | ((edge[:, 1] == 0) & (edge[:, 0] < 0))
        inside &= (value > 0) | ((value == 0) & owns[which])
        weights[:, corner] = value
    hit = np.flatnonzero(inside)
    which = which[hit]
    return Hits(rows[which], (y * width + x)[hit], weights[hit] / np.abs(area)[which, None])
