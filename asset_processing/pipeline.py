"""The operations in order. A new one is one function here and one line in `STEPS`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from asset_processing.document import GlbDocument
from asset_processing.issues import IssueCode
from asset_processing.operations.bake import bake
from asset_processing.operations.decode import decode
from asset_processing.operations.lods import add_lod_nodes, check_lods, make_lods
from asset_processing.operations.orient import orient
from asset_processing.operations.pivot import set_pivot
from asset_processing.operations.scale import scale, wanted_factor
from asset_processing.operations.simplify import describe, simplify
from asset_processing.options import BudgetAction, Decode, LodPlacement

if TYPE_CHECKING:
    from collections.abc import Callable

    from asset_processing.geometry import Bounds
    from asset_processing.options import ProcessingOptions
    from asset_processing.outputs import OutputFile
    from asset_processing.report import Check

__all__ = ["STEPS", "Finding", "Step", "Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a step wants to have in the report's issues.

    Attributes:
        code: Which issue; its severity and meaning are in the table.
        addition: What the message adds to the meaning: why, how much.
        pointer: JSON pointer to the place in the delivered GLB; None where it is the whole.
    """

    code: IssueCode
    addition: str = ""
    pointer: str | None = None


@dataclass(slots=True, kw_only=True)
class Work:
    """An asset on its way through the steps.

    Attributes:
        source: The GLB as it came in.
        document: The asset. Before `pack` steps edit it; after it, it is what was delivered, read
            again, and nothing may edit it.
        options: What was asked.
        before: Bounds of the source.
        glb: What is delivered; empty before `pack`.
        moved_by_node: Why an operation added a node above the roots; None where none did.
        findings: What the steps add to the report's issues.
        checks: What the steps add to the report's lines of asked and measured.
        outputs: Files beside the GLB.
    """

    source: bytes | memoryview
    document: GlbDocument
    options: ProcessingOptions
    before: Bounds
    glb: bytes = b""
    moved_by_node: str | None = None
    findings: list[Finding] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    outputs: list[OutputFile] = field(default_factory=list)


Step: TypeAlias = "Callable[[Work], None]"


def _decode(work: Work) -> None:
    """Make vertices plain where a later step has to read or write them."""
    options = work.options
    if options.decode is Decode.ALWAYS or (
        options.decode is Decode.AUTO and _needs_plain_vertices(options)
    ):
        decode(work.document)


def _needs_plain_vertices(options: ProcessingOptions) -> bool:
    """A step that cannot do with compressed vertices adds its option here."""
    return any(
        (
            options.bake,
            options.normals,
            options.tangents,
            options.weld,
            options.lods,
            _enforces(options),
        )
    )


def _orient(work: Work) -> None:
    if work.options.forward_axis is not None:
        reason = orient(work.document, forward=work.options.forward_axis)
        work.moved_by_node = work.moved_by_node or reason


def _scale(work: Work) -> None:
    factor = wanted_factor(work.document, work.options)
    reason = scale(work.document, factor=factor)
    work.moved_by_node = work.moved_by_node or reason


def _set_pivot(work: Work) -> None:
    reason = set_pivot(work.document, pivot=work.options.pivot)
    work.moved_by_node = work.moved_by_node or reason


def _bake(work: Work) -> None:
    if work.options.bake:
        work.moved_by_node = bake(work.document)


def _enforces(options: ProcessingOptions) -> bool:
    return options.budget_action is BudgetAction.ENFORCE


def _simplify(work: Work) -> None:
    options = work.options
    if not _enforces(options):
        return
    done = simplify(
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
    _scale,
    _set_pivot,
    _bake,
    # normals, tangents
    # weld
    _simplify,
    # alpha
    # textures
    # prune
    _add_lod_nodes,
    # collision inside the GLB
    # provenance
    _pack,
    # packed textures
    # thumbnail
    _make_lods,
    # exports
    # collision
)
