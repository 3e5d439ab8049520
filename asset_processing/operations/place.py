"""Scale an asset and set its pivot in one pass over its vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.errors import InvalidOption
from asset_processing.geometry import bounds_of
from asset_processing.operations._placement import add_to, bakeable_regions, obstacle
from asset_processing.operations.pivot import is_negligible, local_moves, pivot_point, set_pivot
from asset_processing.operations.scale import leaves_size, scale, scale_translations
from asset_processing.options import Pivot

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument

__all__ = ["place"]


def place(document: GlbDocument, *, factor: float, pivot: Pivot) -> str | None:
    """Do what `scale` and then `set_pivot` do; a position is read, written and rounded once.

    Args:
        document: Changed in place.
        factor: Above 0.
        pivot: The point that becomes the origin.

    Returns:
        Why a node was added; None where scale and shift are in the vertices.

    Raises:
        InvalidOption: The result is too large for the numbers of the file.
    """
    if leaves_size(factor) or pivot is Pivot.KEEP or obstacle(document) is not None:
        return _one_by_one(document, factor, pivot)
    bounds = bounds_of(document)
    point = np.array(pivot_point(bounds, pivot))
    with np.errstate(over="ignore"):
        offset = -point * factor
    moves = local_moves(document, offset) if np.isfinite(offset).all() else None
    if moves is None or is_negligible(point, bounds):
        return _one_by_one(document, factor, pivot)
    by_region = dict(moves)
    try:
        for region in bakeable_regions(document) or ():
            move = by_region.get(region, np.zeros(3))  # What is not drawn is not shifted.
            add_to(document, region, factor=factor, offset=move)
        scale_translations(document, factor)
    except OverflowError:
        raise InvalidOption(
            "The scale and the shift move vertices beyond what float32 can hold; use a smaller "
            "scale or keep the pivot.",
            field="scale_factor,height_m,longest_side_m,fit_box,pivot",
        ) from None
    return None


def _one_by_one(document: GlbDocument, factor: float, pivot: Pivot) -> str | None:
    scaled = scale(document, factor=factor)
    moved = set_pivot(document, pivot=pivot)
    return scaled or moved
