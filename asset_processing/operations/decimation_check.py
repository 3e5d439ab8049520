"""Compare what a generator made with what it was asked for."""

from __future__ import annotations

from asset_processing.report import Check, Counts

__all__ = ["TOLERANCE", "check_decimation"]

TOLERANCE = 0.1
"""How far above the target a mesh may be, as a fraction of it."""


def check_decimation(counts: Counts, *, target: int) -> Check:
    """Check a mesh against the generator's decimation target. Nothing is changed.

    The generator's page says vertices, and it decimates before it cuts the surface open for
    texture coordinates; so unique positions are compared, which that cut does not multiply, and
    not the GPU's vertices, which it does. All three figures are in the detail, since others
    describe the same target as faces. A target is met from below: a simple shape needs less.

    Args:
        counts: Of the delivered file.
        target: The target, above 0.

    Returns:
        The line for the report. ``passed`` is None where the positions are compressed.
    """
    measured = counts.unique_positions
    detail = (
        f"{target:,} asked; {_figure(measured)} unique positions (compared, {TOLERANCE:.0%} above "
        f"is allowed), {counts.gpu_vertices:,} GPU vertices, {counts.triangles:,} triangles"
    )
    return Check(
        name="decimation_target",
        asked=float(target),
        measured=None if measured is None else float(measured),
        unit="positions",
        passed=None if measured is None else measured <= target * (1 + TOLERANCE),
        detail=detail,
    )


def _figure(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
