"""The arguments that say what to do with a model, and what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeVar

from assetwright.enums import (
    AlphaAction,
    BudgetAction,
    CollisionKind,
    CollisionPlacement,
    Decode,
    DecompositionMethod,
    EngineProfile,
    ExportFormat,
    ForwardAxis,
    LodPlacement,
    Pivot,
    SimplifyMethod,
    TexturePacking,
)
from assetwright.processing import Box, Collision, Lod, Processing, Textures

if TYPE_CHECKING:
    from enum import StrEnum

__all__ = ["add_processing", "has_processing", "processing_from"]

E = TypeVar("E", bound="StrEnum")


def add_processing(parser: argparse.ArgumentParser) -> None:
    """Add what can be done with a model."""
    group = parser.add_argument_group("post-processing")
    size = group.add_mutually_exclusive_group()
    size.add_argument("--height-m", type=float, metavar="X", help="extent along Y, in metres")
    size.add_argument("--longest-side-m", type=float, metavar="X", help="longest side, in metres")
    size.add_argument("--scale", type=float, metavar="X", help="multiply the size")
    size.add_argument(
        "--fit-box", type=_box, metavar="W,H,D", help="fit into a box of these metres"
    )
    group.add_argument("--max-triangles", type=int, metavar="N", help="check this budget")
    group.add_argument("--max-vertices", type=int, metavar="N", help="check this budget")
    group.add_argument(
        "--enforce-budget", action="store_true", help="simplify until the budgets are met"
    )
    _add_choice(group, "--simplify-method", SimplifyMethod, "how budgets are met")
    _add_choice(group, "--pivot", Pivot, "the point to put at the origin")
    _add_choice(group, "--forward-axis", ForwardAxis, "where the front shall face")
    _add_choice(group, "--engine", EngineProfile, "the program that the result is for")
    _add_vertices(group)
    _add_textures(group)
    _add_outputs(group)


def _add_vertices(group: argparse._ArgumentGroup) -> None:
    _add_choice(group, "--decode", Decode, "when compressed vertices become plain ones")
    group.add_argument("--bake", action="store_true", help="put transforms into the vertices")
    group.add_argument("--normals", action="store_true", help="compute missing normals")
    group.add_argument("--tangents", action="store_true", help="compute missing tangents")
    group.add_argument("--weld", action="store_true", help="merge equal vertices")
    group.add_argument("--prune", action="store_true", help="leave out what nothing uses")


def _add_textures(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--max-texture-px", type=int, metavar="N", help="longest side of a texture")
    group.add_argument(
        "--texture-type", metavar="TYPE", help="convert textures, for example to image/png"
    )
    _add_choice(group, "--texture-packing", TexturePacking, "maps to make beside the model")
    _add_choice(group, "--alpha", AlphaAction, "what to do with alpha modes that are wrong")


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--lod",
        type=_lod,
        action="append",
        default=[],
        metavar="R",
        help="a coarser level: a share such as 0.5, or a number of triangles; repeatable",
    )
    _add_choice(group, "--lod-placement", LodPlacement, "where levels go")
    _add_choice(group, "--collision", CollisionKind, "make a collision shape")
    group.add_argument("--collision-parts", type=int, metavar="N", help="most convex parts")
    _add_choice(group, "--collision-method", DecompositionMethod, "how to find convex parts")
    _add_choice(group, "--collision-placement", CollisionPlacement, "where the shape goes")
    group.add_argument("--thumbnail-px", type=int, metavar="N", help="render a preview of N x N")
    _add_choice(group, "--export", ExportFormat, "another format; repeatable", repeatable=True)
    group.add_argument(
        "--no-provenance", action="store_true", help="do not write a generation's origin into it"
    )


def _add_choice(
    group: argparse._ArgumentGroup,
    flag: str,
    kind: type[E],
    text: str,
    *,
    repeatable: bool = False,
) -> None:
    group.add_argument(
        flag,
        type=kind,
        choices=list(kind),
        metavar=f"{{{','.join(kind)}}}",
        help=text,
        action="append" if repeatable else "store",
        default=[] if repeatable else None,
    )


def has_processing(arguments: argparse.Namespace) -> bool:
    """Say whether any post-processing was asked for."""
    return processing_from(arguments) != Processing()


def processing_from(arguments: argparse.Namespace) -> Processing:
    """Return what to do with a model.

    Raises:
        InvalidRequest: The arguments do not fit together.
    """
    return Processing(
        height_m=arguments.height_m,
        longest_side_m=arguments.longest_side_m,
        scale_factor=arguments.scale,
        fit_box=arguments.fit_box,
        max_triangles=arguments.max_triangles,
        max_vertices=arguments.max_vertices,
        budget_action=BudgetAction.ENFORCE if arguments.enforce_budget else None,
        simplify_method=arguments.simplify_method,
        pivot=arguments.pivot,
        forward_axis=arguments.forward_axis,
        engine_profile=arguments.engine,
        textures=_textures(arguments),
        lods=tuple(arguments.lod),
        lod_placement=arguments.lod_placement,
        collision=_collision(arguments),
        bake=arguments.bake or None,
        decode=arguments.decode,
        compute_normals=arguments.normals or None,
        compute_tangents=arguments.tangents or None,
        weld=arguments.weld or None,
        prune=arguments.prune or None,
        thumbnail_px=arguments.thumbnail_px,
        exports=tuple(arguments.export),
        write_provenance=False if arguments.no_provenance else None,
    )


def _textures(arguments: argparse.Namespace) -> Textures | None:
    found = Textures(
        max_size_px=arguments.max_texture_px,
        media_type=arguments.texture_type,
        packing=arguments.texture_packing,
        alpha=arguments.alpha,
    )
    return None if found == Textures() else found


def _collision(arguments: argparse.Namespace) -> Collision | None:
    if arguments.collision is None:
        return None
    return Collision(
        kind=arguments.collision,
        max_parts=arguments.collision_parts,
        method=arguments.collision_method,
        placement=arguments.collision_placement,
    )


def _box(text: str) -> Box:
    try:
        width, height, depth = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 1,2,1") from None
    return Box(width_m=width, height_m=height, depth_m=depth)


def _lod(text: str) -> Lod:
    """Read a share or a number of triangles; what has a point is a share."""
    try:
        return Lod(ratio=float(text)) if "." in text else Lod(triangles=int(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share and no number") from None
