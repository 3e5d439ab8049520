"""The operations in order. A new one is one function and one line in `STEPS`."""

from __future__ import annotations

from asset_processing.document import GlbDocument
from asset_processing.operations.pivot import set_pivot
from asset_processing.operations.scale import scale, wanted_factor
from asset_processing.output_steps import (
    add_collision,
    add_exports,
    add_provenance,
    add_thumbnail,
)
from asset_processing.texture_steps import (
    apply_alpha,
    change_textures,
    look_at_alpha,
    pack_textures,
)
from asset_processing.work import Finding, Step, Work

__all__ = ["STEPS", "Finding", "Step", "Work"]


def _scale(work: Work) -> None:
    factor = wanted_factor(work.document, work.options)
    reason = scale(work.document, factor=factor)
    work.moved_by_node = work.moved_by_node or reason


def _set_pivot(work: Work) -> None:
    reason = set_pivot(work.document, pivot=work.options.pivot)
    work.moved_by_node = work.moved_by_node or reason


def _pack(work: Work) -> None:
    """Write the document once, and read what was written."""
    work.glb = work.document.to_bytes()
    work.document = GlbDocument.parse(work.glb, work.document.limits)


STEPS: tuple[Step, ...] = (
    # decode
    # orient
    _scale,
    _set_pivot,
    # bake
    # normals, tangents
    # weld
    # simplify
    apply_alpha,
    change_textures,
    # prune
    # LODs and collision inside the GLB
    add_provenance,
    _pack,
    look_at_alpha,
    pack_textures,
    add_thumbnail,
    # LODs
    add_exports,
    add_collision,
)
