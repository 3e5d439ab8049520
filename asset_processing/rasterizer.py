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

_CHUNK = 1 << 16  # Pixels tried at once: about 10 MB.
_ROWS = 1 << 14  # Triangles looked at at once: they fit into the processor's cache.


class TooManyPixels(Exception):
    """The triangles cover more pixels than were allowed."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Pixels whose centre lies in a triangle.

    Attributes:
        triangles: Row of the triangle for each hit, shape (hits,).
        pixels: ``y * width + x`` of the pixel, shape (hits,).
        weights: Barycentric weights of the triangle's corners, shape (hits, 3).
        tried: How many pixels were tried for them.
    """

    triangles: Integers
    pixels: Integers
    weights: Floats
    tried: int


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
    counts = span[:, 0] * span[:, 1]
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
    found = [
        _kept(corners[start : start + _ROWS], start, (width, height))
        for start in range(0, len(corners), _ROWS)
    ]
    rows, low, span, area = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return corners[rows], rows, low, span, area


def _kept(
    corners: Floats, start: int, sides: tuple[int, int]
) -> tuple[Integers, Integers, Integers, Floats]:
    """Of some triangles, those that may cover a pixel: row, first pixel, pixels, doubled area."""
    places = [
        np.ascontiguousarray(corners[:, corner, axis]) for axis in (0, 1) for corner in range(3)
    ]
    low, span = [], []
    for (a, b, c), side in ((places[:3], sides[0]), (places[3:], sides[1])):
        least, most = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
        first = np.clip(np.ceil(least - 0.5), 0, side)
        last = np.clip(np.floor(most - 0.5), -1, side - 1)
        low.append(first)
        span.append(last - first + 1)
    rows = np.flatnonzero((span[0] > 0) & (span[1] > 0))
    ax, bx, cx, ay, by, cy = (place[rows] for place in places)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    flat = area == 0
    if flat.any():
        rows, area = rows[~flat], area[~flat]
    return (
        rows + start,
        np.stack([axis[rows].astype(np.int64) for axis in low], axis=1),
        np.stack([axis[rows].astype(np.int64) for axis in span], axis=1),
        area,
    )


def _tried(  # One row of each for a triangle.
    corners: Floats, rows: Integers, low: Integers, span: Integers, area: Floats, *, width: int
) -> Hits:
    counts = span[:, 0] * span[:, 1]
    which = np.repeat(np.arange(len(rows)), counts)
    place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    across = span[which, 0]
    x = low[which, 0] + place % across
    y = low[which, 1] + place // across
    weights = np.empty((len(which), 3))
    inside = np.ones(len(which), dtype=bool)
    turn = np.sign(area)
    right, down = x + 0.5, y + 0.5
    for corner in range(3):
        (begin_x, begin_y) = corners[:, (corner + 1) % 3].T
        (end_x, end_y) = corners[:, (corner + 2) % 3].T
        edge_x, edge_y = (end_x - begin_x) * turn, (end_y - begin_y) * turn
        value = edge_x[which] * (down - begin_y[which])
        value -= edge_y[which] * (right - begin_x[which])
        # Of two triangles that share an edge, one sees it going up and one going down.
        owns = (edge_y > 0) | ((edge_y == 0) & (edge_x < 0))
        inside &= (value > 0) | ((value == 0) & owns[which])
        weights[:, corner] = value
    hit = np.flatnonzero(inside)
    which = which[hit]
    return Hits(
        rows[which], (y * width + x)[hit], weights[hit] / np.abs(area)[which, None], len(inside)
    )
