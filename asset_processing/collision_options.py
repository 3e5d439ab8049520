"""What a caller may ask of collision shapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from asset_processing.profiles import PROFILES, CollisionPlacement, EngineProfile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_PARTS", "CollisionKind", "CollisionOptions", "DecompositionMethod"]

MAX_PARTS = 256
"""The most parts that a decomposition may be asked for."""


class CollisionKind(Enum):
    """The kind of a collision shape."""

    BOX = "box"  # The bounding box.
    CONVEX_HULL = "convex_hull"
    CONVEX_DECOMPOSITION = "convex_decomposition"  # Several convex parts.


class DecompositionMethod(Enum):
    """Which library finds the parts."""

    VHACD = "vhacd"  # About a second.
    COACD = "coacd"  # Closer, ten times slower; needs the extra ``coacd``.


@dataclass(frozen=True, slots=True, kw_only=True)
class CollisionOptions:
    """A collision shape.

    Attributes:
        kind: The kind.
        max_parts: The most parts of a decomposition, 1 to `MAX_PARTS`.
        method: How to decompose.
        placement: Where it goes; None for where the engine finds it.
    """

    kind: CollisionKind
    max_parts: int = 16
    method: DecompositionMethod = DecompositionMethod.VHACD
    placement: CollisionPlacement | None = None

    def complaints(self) -> Iterator[tuple[str, str]]:
        """Yield each member that is wrong and what is wrong with it."""
        if not 1 <= self.max_parts <= MAX_PARTS:
            yield "max_parts", f"must be 1 to {MAX_PARTS}, not {self.max_parts}."

    def placement_for(self, engine: EngineProfile) -> CollisionPlacement:
        """Return where the shape goes for an engine."""
        return PROFILES[engine].collision_placement if self.placement is None else self.placement
