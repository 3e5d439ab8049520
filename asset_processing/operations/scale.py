"""Make an asset larger or smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.errors import InvalidOption
from asset_processing.geometry import bounds_of
from asset_processing.operations._placement import (
    add_to,
    bakeable_regions,
    lengths,
    move_roots,
    obstacle,
)

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument
    from asset_processing.options import Box, ProcessingOptions

__all__ = ["leaves_size", "scale", "scale_translations", "wanted_factor"]

_NEGLIGIBLE = 1e-7  # Half of what float32 can tell apart at 1.


def wanted_factor(document: GlbDocument, options: ProcessingOptions) -> float:
    """Return the factor that fulfils the options; 1 where they ask for no scale.

    Raises:
        InvalidOption: The asset has no extent to reach the wanted one with.
    """
    if options.scale_factor is not None:
        return options.scale_factor
    if options.height_m is not None:
        return _ratio("height_m", options.height_m, bounds_of(document).size[1])
    if options.longest_side_m is not None:
        return _ratio("longest_side_m", options.longest_side_m, max(bounds_of(document).size))
    if options.fit_box is not None:
        return _fitting(options.fit_box, bounds_of(document).size)
    return 1.0


def _fitting(box: Box, size: tuple[float, float, float]) -> float:
    """The largest factor with which every side fits; a side without extent always does."""
    wanted = (box.width_m, box.height_m, box.depth_m)
    ratios = [side / measured for side, measured in zip(wanted, size, strict=True) if measured]
    return _checked(min(ratios, default=float("inf")), "fit_box", max(size))


def _ratio(field: str, wanted: float, measured: float) -> float:
    return _checked(wanted / measured if measured else float("inf"), field, measured)


def _checked(factor: float, field: str, measured: float) -> float:
    if not 0 < factor < float("inf"):
        raise InvalidOption(
            f"{field} cannot be reached: the asset measures {measured} m there. "
            "Use scale_factor instead.",
            field=field,
            measured_m=str(measured),
        )
    return factor


def leaves_size(factor: float) -> bool:
    """Tell whether a factor is 1, as far as float32 can tell."""
    return abs(factor - 1) <= _NEGLIGIBLE


def scale(document: GlbDocument, *, factor: float) -> str | None:
    """Multiply every length by ``factor``, about the origin of the world.

    Normals, tangents, texture coordinates, indices, materials and images do not change: the
    scale is uniform. Either positions, their declared ranges and node translations change, or a
    node is added above the scene's roots and nothing else changes. Lengths outside of the
    geometry (a light's range, a camera's planes, a volume's attenuation distance) stay.

    Args:
        document: Changed in place.
        factor: Above 0.

    Returns:
        Why a node was added; None where the scale is in the vertices.

    Raises:
        InvalidOption: The result is too large for the numbers of the file.
    """
    if leaves_size(factor):
        return None
    try:
        return _scaled(document, factor)
    except OverflowError:
        raise InvalidOption(
            "The scale moves vertices beyond what float32 can hold; use a smaller one.",
            field="scale_factor,height_m,longest_side_m,fit_box",
        ) from None


def _scaled(document: GlbDocument, factor: float) -> str | None:
    reason = obstacle(document)
    if reason is not None:
        move_roots(document, factor=factor, offset=(0.0, 0.0, 0.0))
        return reason
    for region in bakeable_regions(document) or ():
        add_to(document, region, factor=factor, offset=np.zeros(3))
    scale_translations(document, factor)
    return None


def scale_translations(document: GlbDocument, factor: float) -> None:
    """Multiply how far nodes are from their parents.

    Raises:
        OverflowError: A number left the range of float64.
    """
    for node in document.edit_json().get("nodes", []):
        if "translation" in node:
            node["translation"] = lengths(node["translation"], factor=factor)
        if "matrix" in node:  # Column-major: the translation is the last column.
            node["matrix"][12:15] = lengths(node["matrix"][12:15], factor=factor)
