"""The operations in order. A new one is one function here and one line in `STEPS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.document import GlbDocument
from asset_processing.issues import IssueCode
from asset_processing.operations.bake import bake
from asset_processing.operations.decode import decode
from asset_processing.operations.lods import add_lod_nodes, check_lods, make_lods
from asset_processing.operations.normals import add_normals
from asset_processing.operations.orient import orient
from asset_processing.operations.place import place
from asset_processing.operations.prune import prune
from asset_processing.operations.rebake import rebake, why_not
from asset_processing.operations.scale import wanted_factor
from asset_processing.operations.simplify import describe, simplify
from asset_processing.operations.tangents import add_tangents
from asset_processing.operations.weld import weld_vertices
from asset_processing.options import BudgetAction, Decode, LodPlacement, SimplifyMethod
from asset_processing.output_steps import (
    add_collision,
    add_exports,
    add_provenance,
    add_thumbnail,
)
from asset_processing.profiles import PROFILES
from asset_processing.texture_steps import (
    apply_alpha,
    change_textures,
    look_at_alpha,
    pack_textures,
)
from asset_processing.work import Finding, Step, Work

if TYPE_CHECKING:
    from asset_processing.options import ProcessingOptions

__all__ = ["STEPS", "Finding", "Step", "Work"]


def _decode(work: Work) -> None:
    """Make vertices plain where a later step, or the engine, needs them so."""
    wanted = work.options.decode
    if wanted is Decode.ALWAYS or (wanted is Decode.AUTO and _needs_plain_vertices(work)):
        decode(work.document)


def _needs_plain_vertices(work: Work) -> bool:
    """A step that cannot do with compressed vertices adds its option here."""
    options = work.options
    refused = PROFILES[options.engine_profile].decodes
    return bool(
        refused & {*work.document.json.get("extensionsUsed", [])}
        or options.bake
        or options.normals
        or options.tangents
        or options.weld
        or options.lods
        or _enforces(options)
    )


def _orient(work: Work) -> None:
    if work.options.forward_axis is not None:
        reason = orient(work.document, forward=work.options.forward_axis)
        work.moved_by_node = work.moved_by_node or reason


def _place(work: Work) -> None:
    factor = wanted_factor(work.document, work.options)
    reason = place(work.document, factor=factor, pivot=work.options.pivot)
    work.moved_by_node = work.moved_by_node or reason


def _bake(work: Work) -> None:
    if work.options.bake:
        work.moved_by_node = bake(work.document)


def _add_normals(work: Work) -> None:
    if work.options.normals:
        add_normals(work.document)


def _add_tangents(work: Work) -> None:
    if work.options.tangents:
        add_tangents(work.document)


def _weld(work: Work) -> None:
    if work.options.weld:
        weld_vertices(work.document)


def _prune(work: Work) -> None:
    reason = prune(work.document) if work.options.prune else None
    if reason is not None:
        work.findings.append(
            Finding(code=IssueCode.OPERATION_SKIPPED, addition=f"Not pruned: {reason}.")
        )


def _enforces(options: ProcessingOptions) -> bool:
    return options.budget_action is BudgetAction.ENFORCE


def _simplify(work: Work) -> None:
    options = work.options
    if not _enforces(options):
        return
    operation = simplify
    if options.simplify_method is SimplifyMethod.REBAKE:
        reason = why_not(work.document)
        if reason is None:
            operation = rebake
        else:
            work.findings.append(Finding(code=IssueCode.NOT_REBAKED, addition=f"Why: {reason}."))
    done = operation(
        work.document, max_triangles=options.max_triangles, max_vertices=options.max_vertices
    )
    if done is not None:
        work.findings.append(Finding(code=IssueCode.SIMPLIFIED, addition=describe(done)))


def _add_lod_nodes(work: Work) -> None:
    if work.options.lods and work.options.lod_placement is LodPlacement.NODES:
        work.checks += check_lods(add_lod_nodes(work.document, work.options.lods))


def _make_lods(work: Work) -> None:
    if work.options.lods and work.options.lod_placement is LodPlacement.FILES:
        levels, files = make_lods(work.document, work.glb, work.options.lods)
        work.checks += check_lods(levels)
        work.outputs += files


def _pack(work: Work) -> None:
    """Write the document once, and read what was written."""
    work.glb = work.document.to_bytes()
    work.document = GlbDocument.parse(work.glb, work.document.limits)


STEPS: tuple[Step, ...] = (
    _decode,
    _orient,
    _place,
    _bake,
    _add_normals,
    _add_tangents,
    _weld,
    _simplify,
    apply_alpha,
    change_textures,
    _prune,
    _add_lod_nodes,
    add_provenance,
    _pack,
    look_at_alpha,
    pack_textures,
    add_thumbnail,
    _make_lods,
    add_exports,
    add_collision,
)
