"""Turn an asset about +Y so that its front faces another axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.operations._placement import move_roots
from asset_processing.options import ForwardAxis

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument

__all__ = ["QUARTER_TURNS", "orient"]

QUARTER_TURNS = {
    ForwardAxis.PLUS_Z: 0,
    ForwardAxis.PLUS_X: 1,
    ForwardAxis.MINUS_Z: 2,
    ForwardAxis.MINUS_X: 3,
}
"""How often +Z is turned by a right angle about +Y, counter-clockwise from above, to each axis."""


def orient(document: GlbDocument, *, forward: ForwardAxis) -> str | None:
    """Turn everything so that what faces +Z, the front in glTF, faces ``forward``.

    A node above the scene's roots carries the turn; no vertex changes, so that normals, tangents,
    skins and animations stay right. `bake` puts it into the vertices.

    Args:
        document: Changed in place.
        forward: Where the front shall face. ``PLUS_Z`` changes nothing.

    Returns:
        Why a node was added; None where nothing was turned.
    """
    turns = QUARTER_TURNS[forward]
    if not turns:
        return None
    move_roots(document, factor=1.0, offset=(0.0, 0.0, 0.0), quarter_turns=turns)
    return "the asset was turned"
