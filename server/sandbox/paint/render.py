"""Turn solids into pixels: who is in front, how light falls, and a smooth outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage

from server.sandbox.paint.patterns import surface
from server.sandbox.paint.solids import Shape, hit, rotation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from server.sandbox.paint.solids import Pixels, Solid

__all__ = ["View", "render"]

_FINEST = 1280  # Longest side that is rendered; larger pictures are enlarged from it.
_OVERSAMPLING = 2
_FILL = 0.82  # The part of the frame's tighter side that the object takes.
_KEY = (-0.45, 0.68, 0.58)
_FILL_LIGHT = (0.75, 0.05, 0.55)
_HALFWAY = (-0.25, 0.38, 0.89)
_SHININESS = 28
_BLUR = 6.0  # Coarse pixels that the blur for dark corners reaches, about.


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """From where an object is seen.

    Attributes:
        yaw: How far it is turned about its upright axis, in degrees.
        pitch: How far it leans towards the viewer, which shows its top.
    """

    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class _Buffers:
    depth: Pixels
    normals: Pixels
    colours: Pixels
    gloss: Pixels


def render(
    solids: Sequence[Solid], view: View, *, size: tuple[int, int], random: np.random.Generator
) -> Image.Image:
    """Draw solids, fitted into the middle of a transparent RGBA picture of a size."""
    scale = min(_OVERSAMPLING, _FINEST / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    whole = rotation((view.pitch, 0, 0)) @ rotation((0, view.yaw, 0))
    middle, unit = _fit(solids, whole, width=width, height=height)
    buffers = _empty(height, width)
    for solid in solids:
        _add(buffers, solid, whole, middle=middle, unit=unit, random=random)
    shaded = _shade(buffers, unit=unit)
    return Image.fromarray(shaded).resize(size, Image.Resampling.LANCZOS)


def _empty(height: int, width: int) -> _Buffers:
    vectors = (3, height, width)
    return _Buffers(
        depth=np.full((height, width), -np.inf, dtype=np.float32),
        normals=np.zeros(vectors, dtype=np.float32),
        colours=np.zeros(vectors, dtype=np.float32),
        gloss=np.zeros((height, width), dtype=np.float32),
    )


def _bounds(
    solid: Solid, whole: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre and half extents of a solid as seen."""
    turned = whole @ rotation(solid.turn) * np.array(solid.size)
    if solid.shape is Shape.BALL:
        extent = np.sqrt((turned**2).sum(axis=1))
    else:
        extent = np.abs(turned).sum(axis=1)
        if solid.shape is Shape.TUBE:
            extent = np.hypot(turned[:, 0], turned[:, 2]) * max(1.0, solid.top)
            extent += np.abs(turned[:, 1])
    return whole @ np.array(solid.centre), extent


def _fit(
    solids: Sequence[Solid], whole: NDArray[np.float64], *, width: int, height: int
) -> tuple[NDArray[np.float64], float]:
    """Which point comes to the middle of the frame, and how many pixels a unit takes."""
    boxes = [_bounds(solid, whole) for solid in solids]
    low = np.min([centre - extent for centre, extent in boxes], axis=0)
    high = np.max([centre + extent for centre, extent in boxes], axis=0)
    span = high - low
    return (low + high) / 2, _FILL * min(width / span[0], height / span[1])


def _add(
    buffers: _Buffers,
    solid: Solid,
    whole: NDArray[np.float64],
    *,
    middle: NDArray[np.float64],
    unit: float,
    random: np.random.Generator,
) -> None:
    """Draw one solid where it lies in front of what is drawn already."""
    rows, columns, origins = _rays(buffers, *_bounds(solid, whole), middle=middle, unit=unit)
    if origins.size == 0:
        return
    stretch = np.array(solid.size)
    into = (rotation(solid.turn).T @ whole.T) / stretch[:, None]
    centre = (whole @ np.array(solid.centre)).astype(np.float32)
    own = np.tensordot(into.astype(np.float32), origins - centre[:, None, None], axes=1)
    direction = (into @ np.array([0.0, 0.0, -1.0])).astype(np.float32)
    distance, normals = hit(solid, own, direction)
    here = -distance > buffers.depth[rows, columns]
    at = (own + np.where(here, distance, 0) * direction[:, None, None]) * stretch[
        :, None, None
    ].astype(np.float32)
    bright, share = surface(solid, at, random)
    first, second = (
        np.array(colour, dtype=np.float32)[:, None, None] for colour in (solid.colour, solid.second)
    )
    colours = (first * (1 - share) + second * share) * bright
    outward = np.tensordot(into.T.astype(np.float32), normals, axes=1)
    buffers.depth[rows, columns][here] = -distance[here]
    buffers.gloss[rows, columns][here] = solid.gloss
    buffers.normals[:, rows, columns][:, here] = outward[:, here]
    buffers.colours[:, rows, columns][:, here] = colours[:, here]


def _rays(
    buffers: _Buffers,
    centre: NDArray[np.float64],
    extent: NDArray[np.float64],
    *,
    middle: NDArray[np.float64],
    unit: float,
) -> tuple[slice, slice, Pixels]:
    """The part of the frame that a box covers, and the points where its rays start."""
    height, width = buffers.depth.shape
    left, right = (
        round(width / 2 + (centre[0] + way * extent[0] - middle[0]) * unit + way) for way in (-1, 1)
    )
    top, bottom = (
        round(height / 2 - (centre[1] + way * extent[1] - middle[1]) * unit - way)
        for way in (1, -1)
    )
    rows = slice(max(0, top), min(height, max(0, bottom)))
    columns = slice(max(0, left), min(width, max(0, right)))
    y, x = np.mgrid[rows, columns].astype(np.float32)
    seen_x = (x + 0.5 - width / 2) / unit + middle[0]
    seen_y = (height / 2 - y - 0.5) / unit + middle[1]
    return rows, columns, np.stack([seen_x, seen_y, np.zeros_like(x)]).astype(np.float32)


def _shade(buffers: _Buffers, *, unit: float) -> NDArray[np.uint8]:
    """Light the surfaces and darken the corners between them."""
    covered = np.isfinite(buffers.depth)
    long = np.maximum(np.sqrt((buffers.normals**2).sum(axis=0)), np.float32(1e-6))
    normals = buffers.normals / long
    key, fill, halfway = (
        np.clip(np.tensordot(np.array(light, np.float32), normals, axes=1), 0, 1)
        for light in (_KEY, _FILL_LIGHT, _HALFWAY)
    )
    light = (0.40 + 0.06 * normals[1] + 0.62 * key + 0.16 * fill) * _openness(
        buffers.depth, covered, reach=0.10 * unit
    )
    shine = 0.55 * buffers.gloss * halfway**_SHININESS
    lit = np.clip(buffers.colours * light + shine, 0, 1)
    out = np.empty((*covered.shape, 4), dtype=np.uint8)
    out[..., :3] = np.round(255 * np.moveaxis(_bled(lit, covered), 0, -1))
    out[..., 3] = 255 * covered
    return out


def _openness(depth: Pixels, covered: NDArray[np.bool_], *, reach: float) -> Pixels:
    """How much of the sky a point sees, judged by how deep it lies below its surroundings."""
    step = max(1, int(reach / _BLUR))  # The blur is wide: coarse steps show the same.
    coarse = np.where(covered, depth, 0)[::step, ::step].astype(np.float32)
    mass = ndimage.gaussian_filter(covered[::step, ::step].astype(np.float32), reach / step)
    around: Pixels = ndimage.gaussian_filter(coarse, reach / step) / np.maximum(
        mass, np.float32(1e-3)
    )
    height, width = depth.shape
    smooth = Image.fromarray(around).resize((width, height), Image.Resampling.BILINEAR)
    sunk = np.where(covered, np.asarray(smooth) - depth, 0)
    return (1 - np.clip(1.1 * sunk, 0, 0.34)).astype(np.float32)


def _bled(colours: Pixels, covered: NDArray[np.bool_]) -> Pixels:
    """Carry the object's colours a little outside, so that its smooth outline has no dark rim."""
    outside = ~covered & ndimage.binary_dilation(covered, iterations=3)
    if not outside.any():
        return colours
    rows, columns = ndimage.distance_transform_edt(
        ~covered, return_distances=False, return_indices=True
    )
    spread = colours.copy()
    spread[:, outside] = colours[:, rows[outside], columns[outside]]
    return spread
