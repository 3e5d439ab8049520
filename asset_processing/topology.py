"""How the surface hangs together, measured on vertices welded by position.

A textured file stores a vertex once for each side of a UV seam, so that unwelded every seam is an
open edge and nothing is watertight. Welded here means: the same place in the world, to the last
bit of float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from asset_processing.surface import soup
from asset_processing.survey import Survey

if TYPE_CHECKING:
    from asset_processing.surface import Part

__all__ = ["Topology", "measure_topology"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The surface of the default scene, in metres; all its triangles, welded by position.

    Attributes:
        components: Parts that share no vertex with one another.
        watertight: Every edge has exactly two triangles.
        degenerate_faces: Triangles without area.
        duplicate_faces: Triangles on the same three vertices as an earlier one.
        boundary_edges: Edges of one triangle.
        non_manifold_edges: Edges of more than two triangles.
        surface_area_m2: Sum of the triangles' areas; None where that is not a finite number.
        volume_m3: Enclosed volume; None unless watertight with all triangles turned alike.
    """

    components: int
    watertight: bool
    degenerate_faces: int
    duplicate_faces: int
    boundary_edges: int
    non_manifold_edges: int
    surface_area_m2: float | None
    volume_m3: float | None


def measure_topology(parts: list[Part]) -> Topology:
    """Measure a surface."""
    survey = Survey(*soup(parts))
    survey.weld()
    found = survey.connections()
    closed = found.edges_of_two > 0 and not found.edges_of_one and not found.edges_of_more
    alike = not found.edges_unlike
    return Topology(
        components=found.components,
        watertight=closed,
        degenerate_faces=found.degenerate_faces,
        duplicate_faces=found.duplicate_faces,
        boundary_edges=found.edges_of_one,
        non_manifold_edges=found.edges_of_more,
        surface_area_m2=_finite(found.area),
        volume_m3=_finite(abs(found.volume)) if closed and alike else None,
    )


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
