"""One line of the report for one thing that was asked, measured on the delivered file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.operations.decimation_check import check_decimation
from asset_processing.operations.orient import QUARTER_TURNS
from asset_processing.operations.pivot import pivot_point
from asset_processing.options import Pivot, ProcessingOptions
from asset_processing.report import Check, Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing.geometry import Bounds
    from asset_processing.operations.textures import Texture

__all__ = ["LENGTH_TOLERANCE", "run_checks"]

_TURN_TOLERANCE = 1e-3
LENGTH_TOLERANCE = 1e-4
"""How far a length may be off, as a fraction: float32 vertices far from the origin round so."""


def run_checks(
    options: ProcessingOptions,
    *,
    before: Bounds,
    after: Bounds,
    counts: Counts,
    textures: tuple[Texture, ...],
) -> tuple[Check, ...]:
    """Return a line for everything that the options ask for, and none for what they do not.

    Args:
        options: What was asked.
        before: Bounds of the source.
        after: Bounds of the delivered file.
        counts: Of the delivered file.
        textures: What was extracted from it.
    """
    return (
        *_check_size(options, before, after),
        *_check_orientation(options, before, after),
        *_check_pivot(options, after),
        *_check_budgets(options, counts),
        *_check_textures(options, counts, textures),
        *_check_texture_changes(options, textures),
    )


def _check_size(options: ProcessingOptions, before: Bounds, after: Bounds) -> Iterator[Check]:
    if options.scale_factor is not None:
        longest = max(before.size)
        measured = max(after.size) / longest if longest else None
        yield _length("scale_factor", options.scale_factor, measured, "x")
    if options.height_m is not None:
        yield _length("height_m", options.height_m, after.size[1], "m")
    if options.longest_side_m is not None:
        yield _length("longest_side_m", options.longest_side_m, max(after.size), "m")

    if options.fit_box is not None:
        box = (options.fit_box.width_m, options.fit_box.height_m, options.fit_box.depth_m)
        fullest = max(side / wanted for side, wanted in zip(after.size, box, strict=True))
        yield _length("fit_box", 1.0, fullest, "of the tightest side")


def _length(name: str, asked: float, measured: float | None, unit: str) -> Check:
    passed = None if measured is None else abs(measured - asked) <= LENGTH_TOLERANCE * asked
    found = "nothing to measure" if measured is None else f"{measured:.6g} {unit} measured"
    return Check(
        name=name,
        asked=asked,
        measured=measured,
        unit=unit,
        passed=passed,
        detail=f"{asked:.6g} {unit} asked, {found} ({LENGTH_TOLERANCE:.2%} tolerance)",
    )


def _check_orientation(
    options: ProcessingOptions, before: Bounds, after: Bounds
) -> Iterator[Check]:
    """How far the sides are from those of the source once that is turned, as a fraction."""
    if options.forward_axis is None:
        return
    turns = QUARTER_TURNS[options.forward_axis]
    x, y, z = before.size
    turned = (z, y, x) if turns % 2 else (x, y, z)
    longest, measured = max(turned), max(after.size)
    pairs = zip(turned, after.size, strict=True)
    off = (
        max(abs(was / longest - now / measured) for was, now in pairs)
        if longest and measured
        else None
    )
    yield Check(
        name="forward_axis",
        asked=0.0,
        measured=off,
        unit="of the longest side",
        passed=None if off is None else off <= _TURN_TOLERANCE,
        detail=f"{options.forward_axis.value} asked, turned by {90 * turns} degrees about +Y; the "
        f"sides of the bounds are off by at most {off or 0:.2%} of the longest",
    )


def _check_pivot(options: ProcessingOptions, after: Bounds) -> Iterator[Check]:
    """The distance of the chosen point from the origin; the tolerance is of the longest side."""
    if options.pivot is Pivot.KEEP:
        return
    point = pivot_point(after, options.pivot)
    measured = sum(part * part for part in point) ** 0.5
    yield Check(
        name="pivot",
        asked=0.0,
        measured=measured,
        unit="m",
        passed=measured <= LENGTH_TOLERANCE * max(after.size),
        detail=f"{options.pivot.value} asked, {measured:.6g} m from the origin measured "
        f"({LENGTH_TOLERANCE:.2%} of the longest side is allowed)",
    )


def _check_budgets(options: ProcessingOptions, counts: Counts) -> Iterator[Check]:
    if options.max_triangles is not None:
        yield _budget("max_triangles", options.max_triangles, counts.triangles, "triangles")
    if options.max_vertices is not None:
        yield _budget("max_vertices", options.max_vertices, counts.gpu_vertices, "vertices")
    if options.decimation_target is not None:
        yield check_decimation(counts, target=options.decimation_target)


def _budget(name: str, asked: int, measured: int, unit: str) -> Check:
    return Check(
        name=name,
        asked=float(asked),
        measured=float(measured),
        unit=unit,
        passed=measured <= asked,
        detail=f"{measured:,} {unit} as stored, at most {asked:,} asked",
    )


def _check_textures(
    options: ProcessingOptions, counts: Counts, textures: tuple[Texture, ...]
) -> Iterator[Check]:
    if not options.extract_textures:
        return
    readable = sum(texture.facts.width is not None for texture in textures)
    yield Check(
        name="textures",
        asked=float(counts.images),
        measured=float(readable),
        unit="images",
        passed=readable == counts.images,
        detail=f"{counts.images} in the file, {len(textures)} extracted, {readable} readable",
    )


def _check_texture_changes(
    options: ProcessingOptions, textures: tuple[Texture, ...]
) -> Iterator[Check]:
    wanted = options.textures
    facts = [texture.facts for texture in textures]
    if wanted.max_size_px is not None:
        sides = [max(fact.width or 0, fact.height or 0) for fact in facts]
        unread = sum(fact.width is None for fact in facts)
        longest = max(sides, default=0)
        yield Check(
            name="textures.max_size_px",
            asked=float(wanted.max_size_px),
            measured=float(longest),
            unit="px",
            passed=longest <= wanted.max_size_px and not unread,
            detail=f"the longest side has {longest} px, at most {wanted.max_size_px} asked"
            + (f"; {unread} cannot be read" if unread else ""),
        )
    if wanted.media_type is not None:
        right = sum(fact.media_type == wanted.media_type for fact in facts)
        yield Check(
            name="textures.media_type",
            asked=float(len(facts)),
            measured=float(right),
            unit="images",
            passed=right == len(facts),
            detail=f"{right} of {len(facts)} are {wanted.media_type}",
        )
