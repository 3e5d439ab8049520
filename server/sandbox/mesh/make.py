"""The whole way from a picture to a GLB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from server.sandbox.mesh.atlas import Atlas, paint
from server.sandbox.mesh.colour import luma
from server.sandbox.mesh.glb import write_glb
from server.sandbox.mesh.inflate import inflate
from server.sandbox.mesh.lattice import choose_spacing, triangulate
from server.sandbox.mesh.levelset import LevelSet
from server.sandbox.mesh.picture import Picture, decode_picture
from server.sandbox.mesh.relax import relax
from server.sandbox.mesh.solid import Sheets, close_sheets
from server.sandbox.mesh.subject import find_subject

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Colours, Field, Points
    from server.sandbox.mesh.options import DecodeLimits, MeshOptions

__all__ = ["GENERATOR_NOTE", "MeshStats", "make_mesh"]

GENERATOR_NOTE = (
    "Made by Assetwright's sandbox from the silhouette of the input picture. "
    "Not a result of the Pixal3D model."
)

_BORDER = 6  # Pixels of outside around the picture, so that a subject at its edge is closed too.
_DEPTH_SPREAD = 0.08  # How much a seed changes the depth, at most.
_FRONT_DEPTH = 0.80  # Of a body of revolution; a whole one looks like a balloon.
_BACK_DEPTH = 0.70
_HALF = 0.5
_NEARLY_NOTHING = 1e-3
# Parts of the subject's size, the square root of its area. Chosen by eye on the demo picture.
_FINE = 0.008  # Detail smaller than this is noise.
_COARSE = 0.04  # Detail larger than this is shading, not relief.
_FADE = 0.12  # The relief is full where the surface is this high.
_STEEPEST = 0.4  # Larger differences in brightness count as this one.
_RELIEF = 0.05  # Height of the relief for a full step from black to white, by subject size.


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshStats:
    """What was made.

    Attributes:
        unique_vertices: Vertices that differ in position: what `decimation_target` asks for.
        vertices: Vertices as stored; those along the rim are there once for each half.
        triangles: Count of triangles.
        size_bytes: Length of the GLB.
    """

    unique_vertices: int
    vertices: int
    triangles: int
    size_bytes: int


def make_mesh(
    picture: bytes, options: MeshOptions, *, limits: DecodeLimits
) -> tuple[bytes, MeshStats]:
    """Make a closed, textured mesh from the picture of one subject.

    The same picture, options and seed give the same bytes on one machine.

    Args:
        picture: PNG, JPEG or WebP bytes.
        options: What is asked for.
        limits: How large the decoded picture may be.

    Raises:
        PictureError: The picture cannot be read, is too large, or shows no subject.
    """
    random = np.random.default_rng(None if options.seed is None else options.seed % 2**64)
    depth = 1 + random.uniform(-_DEPTH_SPREAD, _DEPTH_SPREAD)
    decoded = decode_picture(picture, max_pixels=limits.max_pixels)
    colours, coverage = _with_border(decoded)
    spacing = choose_spacing(coverage, vertices=options.decimation_target)
    level = LevelSet.from_coverage(coverage, spacing=spacing)
    flat = relax(triangulate(level, spacing=spacing), level, spacing=spacing)
    height = inflate(flat, coverage)
    sheets = Sheets(
        height=height,
        front=depth * _FRONT_DEPTH,
        back=depth * _BACK_DEPTH,
        relief=_relief(colours, coverage, flat.points, height),
    )
    solid = close_sheets(flat, sheets, size=options.mesh_scale)
    atlas = Atlas.around(flat.points, size=options.texture_size)
    textures = paint(colours, coverage, atlas, noise=random)
    glb = write_glb(solid, atlas.coordinates(solid), textures, extras=_extras(options))
    stats = MeshStats(
        unique_vertices=solid.unique_vertices,
        vertices=len(solid.positions),
        triangles=len(solid.triangles),
        size_bytes=len(glb),
    )
    return glb, stats


def _with_border(picture: Picture) -> tuple[Colours, Field]:
    """The picture's colours and its subject's coverage, with room around them."""
    coverage = np.pad(find_subject(picture), _BORDER)
    wide = ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0))
    return np.pad(picture.colours, wide, mode="edge"), coverage


def _relief(colours: Colours, coverage: Field, points: Points, height: Field) -> Field:
    """Raise what is brighter than its surroundings a little, less and less towards the rim."""
    size = float(np.sqrt((coverage > _HALF).sum()))
    bright = luma(colours)
    detail = _mean_inside(bright, coverage, blur=_FINE * size)
    detail -= _mean_inside(bright, coverage, blur=_COARSE * size)
    at_points = ndimage.map_coordinates(detail, points[:, ::-1].T, order=1)
    inner = np.clip(height / (_FADE * size), 0, 1) ** 2
    raised: Field = _RELIEF * size * np.clip(at_points, -_STEEPEST, _STEEPEST) * inner
    return raised


def _mean_inside(values: Field, coverage: Field, *, blur: float) -> Field:
    """Blur without mixing in what lies outside the subject."""
    total = ndimage.gaussian_filter(values * coverage, blur)
    mean: Field = total / (ndimage.gaussian_filter(coverage, blur) + _NEARLY_NOTHING)
    return mean


def _extras(options: MeshOptions) -> dict[str, object]:
    return {
        "assetwright": {
            "sandbox": True,
            "note": GENERATOR_NOTE,
            "parameters": {
                "decimation_target": options.decimation_target,
                "texture_size": options.texture_size,
                "mesh_scale": options.mesh_scale,
                "seed": options.seed,
            },
        }
    }
