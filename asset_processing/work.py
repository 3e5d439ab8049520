"""What goes from step to step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from asset_processing.document import GlbDocument
    from asset_processing.geometry import Bounds
    from asset_processing.issues import IssueCode
    from asset_processing.operations.collision import Shape
    from asset_processing.operations.textures import AlphaUse
    from asset_processing.options import ProcessingOptions
    from asset_processing.outputs import OutputFile
    from asset_processing.report import Check, CollisionFacts

__all__ = ["Finding", "Step", "Work"]


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
        alpha: What the alpha channels of the delivered images hold, by index.
        shapes: Collision shapes that go into the GLB, by the names of their nodes.
        decoded: A copy of what is delivered with plain vertices, where they are compressed.
        collision: What the report says of the collision shapes.
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
    alpha: dict[int, AlphaUse] = field(default_factory=dict)
    shapes: list[tuple[str, Shape]] = field(default_factory=list)
    decoded: GlbDocument | None = None
    collision: CollisionFacts | None = None


Step: TypeAlias = "Callable[[Work], None]"
