"""Move an asset so that a chosen point of it is the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.errors import InvalidOption
from asset_processing.geometry import Bounds, bounds_of, drawn
from asset_processing.operations._placement import (
    Region,
    add_to,
    bakeable_regions,
    move_roots,
    obstacle,
)
from asset_processing.options import Pivot

if TYPE_CHECKING:
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument

__all__ = ["is_negligible", "local_moves", "pivot_point", "set_pivot"]

_NEGLIGIBLE = 1e-6  # Of the longest side: float32 rounding, not a shift anyone asked for.
_DIFFERENT_NODES = "its nodes turn or scale the same vertices differently"


def pivot_point(bounds: Bounds, pivot: Pivot) -> tuple[float, float, float]:
    """Return the point of ``bounds`` that the pivot means; the origin for ``KEEP``."""
    x, y, z = bounds.center
    points = {
        Pivot.KEEP: (0.0, 0.0, 0.0),
        Pivot.CENTER: (x, y, z),
        Pivot.BASE: (x, bounds.min[1], z),
    }
    return points[pivot]


def set_pivot(document: GlbDocument, *, pivot: Pivot) -> str | None:
    """Shift the default scene so that the chosen point is the origin of the world.

    Shape, size and orientation do not change, nor does anything but positions and their declared
    ranges; or, where those must stay, a node is added above the scene's roots. Nodes keep their
    transforms: the vertices move inside of them.

    Args:
        document: Changed in place.
        pivot: The point.

    Returns:
        Why a node was added; None where the shift is in the vertices.

    Raises:
        InvalidOption: The result is too large for the numbers of the file.
    """
    if pivot is Pivot.KEEP:
        return None
    bounds = bounds_of(document)
    offset = -np.array(pivot_point(bounds, pivot))
    if is_negligible(offset, bounds):
        return None
    reason, moves = obstacle(document), None
    if reason is None:
        moves = local_moves(document, offset)
        reason = _DIFFERENT_NODES if moves is None else None
    try:
        for region, move in moves or ():
            add_to(document, region, factor=1.0, offset=move)
        if reason is not None:
            x, y, z = (float(part) for part in offset)
            move_roots(document, factor=1.0, offset=(x, y, z))
    except OverflowError:
        raise InvalidOption(
            "The shift moves vertices beyond what float32 can hold; keep the pivot.", field="pivot"
        ) from None
    return reason


def is_negligible(offset: Floats, bounds: Bounds) -> bool:
    """Tell whether a shift is only what rounding leaves."""
    return bool(np.abs(offset).max() <= _NEGLIGIBLE * max(bounds.size))


def local_moves(document: GlbDocument, offset: Floats) -> list[tuple[Region, Floats]] | None:
    """Return how far each region moves in its mesh, so that the world moves by ``offset``.

    None where one region is drawn under two different turns or scales, or a flat one: no single
    move would do. A mesh that is not drawn does not move.
    """
    turns: dict[int, Floats] = {}
    for draw, primitive in drawn(document):
        turn = draw.matrices[0, :3, :3]
        if not np.array_equal(turns.setdefault(primitive.position, turn), turn):
            return None
    found = []
    for region in bakeable_regions(document) or ():
        own = [turns[index] for index in region.accessors if index in turns]
        if any(not np.array_equal(turn, own[0]) for turn in own):
            return None
        if own:
            move = _solved(own[0], offset)
            if move is None:
                return None
            found.append((region, move))
    return found


def _solved(turn: Floats, offset: Floats) -> Floats | None:
    try:
        move: Floats = np.linalg.solve(turn, offset).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    tolerance = 1e-9 * np.abs(offset).max()
    return move if np.allclose(turn @ move, offset, rtol=0, atol=tolerance) else None
