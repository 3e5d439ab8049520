"""A picture of the model: a small software renderer, so that no GPU and no window is needed.

An orthographic view of the front from a little above and to the right, by a key light, a fill
light and the sky. Base colours, vertex colours, cut-outs and emission are drawn; reflections,
normal maps and blending are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.operations._sampling import Look, Sheet, load_look
from asset_processing.operations.resize import Filtering, resize, to_srgb
from asset_processing.pixels import encode
from asset_processing.rasterizer import TooManyPixels, rasterize
from asset_processing.surface import Part, Unreadable, read_surface
from asset_processing.uv import placed_uv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["render_thumbnail"]

_MAX_TRIANGLES = 2_000_000
_MAX_TRIED = 1 << 25  # Samples for all triangles of a picture up to 1024 across: two seconds.
_SAMPLES = 2  # Along each side of a pixel.
_MARGIN = 0.04  # Of the side, all around.
_YAW, _PITCH = np.radians(30), np.radians(20)
_KEY = np.array([0.45, 0.65, 0.62])  # Towards the lights, in the viewer's space.
_FILL = np.array([-0.8, 0.1, 0.6])
_KEY_LIGHT, _FILL_LIGHT, _SKY, _GROUND = 0.75, 0.2, 0.35, 0.15


@dataclass(frozen=True, slots=True)
class _Seen:
    """A part as the viewer sees it."""

    part: Part
    look: Look
    corners: Floats  # In samples, shape (triangles, 3, 2).
    depth: Floats  # Towards the viewer, shape (triangles, 3).
    first: int  # Number of its first triangle.


def render_thumbnail(document: GlbDocument, *, size_px: int) -> bytes:
    """Return a square PNG with a clear background. The same document gives the same bytes.

    Args:
        document: The document; its default scene is drawn in the rest pose.
        size_px: Width and height.

    Raises:
        Unreadable: The triangles cannot be read, or would take too long to draw.
    """
    side = size_px * _SAMPLES
    view = _view()
    seen = _look_at(document, view, side)
    try:
        winners = _nearest(document, seen, side)
    except TooManyPixels as exc:
        raise Unreadable("its triangles are too large and too many to draw") from exc
    light = np.zeros((side * side, 3), dtype=np.float32)
    for one in seen:
        chosen = (winners >= one.first) & (winners < one.first + len(one.corners))
        pixels = np.flatnonzero(chosen)
        if len(pixels):
            light[pixels] = _shaded(document, one, view, pixels, winners[pixels] - one.first, side)
    drawn = np.empty((side, side, 4), dtype=np.uint8)
    drawn[..., :3] = np.rint(to_srgb(light)).reshape(side, side, 3)
    drawn[..., 3] = np.where(winners >= 0, 255, 0).reshape(side, side)
    filtering = Filtering.COVERED_COLOR
    small = resize(drawn, width=size_px, height=size_px, filtering=filtering)
    small[small[..., 3] == 0] = 0
    return encode(small, media_type="image/png", lossless=True)


def _view() -> Floats:
    """The viewer's axes: right, up, and towards the viewer, shape (3, 3)."""
    toward = np.array(
        [np.sin(_YAW) * np.cos(_PITCH), np.sin(_PITCH), np.cos(_YAW) * np.cos(_PITCH)]
    )
    right = np.array([np.cos(_YAW), 0, -np.sin(_YAW)])
    return np.stack([right, np.cross(toward, right), toward])


def _look_at(document: GlbDocument, view: Floats, side: int) -> list[_Seen]:
    """Place all parts so that together they fill the picture."""
    parts = read_surface(document, max_triangles=_MAX_TRIANGLES)
    placed = [part.points @ view.T for part in parts]
    used = [points[np.unique(part.faces)] for part, points in zip(parts, placed, strict=True)]
    low = np.min([points.min(axis=0) for points in used], axis=0)
    high = np.max([points.max(axis=0) for points in used], axis=0)
    extent = float((high - low)[:2].max()) or 1.0
    scale = side * (1 - 2 * _MARGIN) / extent
    middle = (low + high) / 2
    looks: dict[int | None, Look] = {}
    seen = []
    first = 0
    for part, points in zip(parts, placed, strict=True):
        if part.material not in looks:
            looks[part.material] = load_look(document, part.material)
        flat = (points - middle) * (scale, -scale, scale)
        flat[:, :2] += side / 2
        corners = flat[part.faces]
        seen.append(_Seen(part, looks[part.material], corners[..., :2], corners[..., 2], first))
        first += len(part.faces)
    return seen


def _nearest(document: GlbDocument, seen: list[_Seen], side: int) -> Integers:
    """The number of the triangle that each sample shows, -1 for none; shape (side * side,)."""
    low = min(float(one.depth.min()) for one in seen)
    high = max(float(one.depth.max()) for one in seen)
    steps = (2**31 - 1) / ((high - low) or 1.0)
    best = np.full(side * side, -1, dtype=np.int64)
    left = _MAX_TRIED * -(-side // 1024)
    for one in seen:
        for hits in rasterize(one.corners, width=side, height=side, max_tried=left):
            depth = (hits.weights * one.depth[hits.triangles]).sum(axis=1)
            # The nearest wins; of equals the one that is drawn first.
            keys = ((depth - low) * steps).clip(0, 2**31 - 1).astype(np.int64) << 32
            keys |= 0xFFFFFFFF - (one.first + hits.triangles)
            if one.look.cutoff > 0:
                alpha = _colors(document, one, hits.triangles, hits.weights)[:, 3]
                kept = alpha >= one.look.cutoff
                np.maximum.at(best, hits.pixels[kept], keys[kept])
            else:
                np.maximum.at(best, hits.pixels, keys)
        spans = np.ptp(np.clip(one.corners, 0, side), axis=1) + 1
        left -= int(spans.prod(axis=1).sum())
        if left < 0:
            raise TooManyPixels
    return np.where(best >= 0, 0xFFFFFFFF - (best & 0xFFFFFFFF), -1)


def _shaded(
    document: GlbDocument,
    one: _Seen,
    view: Floats,
    pixels: Integers,
    triangles: Integers,
    side: int,
) -> NDArray[np.float32]:
    """The light that samples send, shape (samples, 3)."""
    weights = _weights(one.corners[triangles], pixels, side)
    color = _colors(document, one, triangles, weights)[:, :3]
    light = color if one.look.unlit else color * _lit(document, one, view, triangles, weights)
    if one.look.emitted.any():
        emitted = np.broadcast_to(one.look.emitted, color.shape)
        if one.look.emissive is not None:
            found = _sampled(document, one, one.look.emissive, triangles, weights)
            emitted = emitted if found is None else emitted * found[:, :3]
        light = light + emitted
    return light.astype(np.float32)


def _weights(corners: Floats, pixels: Integers, side: int) -> Floats:
    point = np.stack([pixels % side, pixels // side], axis=1) + 0.5
    a, b, c = corners.transpose(1, 0, 2)
    doubled = _cross(b - a, c - a)
    second = _cross(point - a, c - a) / doubled
    third = _cross(b - a, point - a) / doubled
    return np.stack([1 - second - third, second, third], axis=1)


def _cross(one: Floats, other: Floats) -> Floats:
    found: Floats = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return found


def _lit(
    document: GlbDocument, one: _Seen, view: Floats, triangles: Integers, weights: Floats
) -> Floats:
    """How much light falls on the samples, shape (samples, 1)."""
    stored = one.part.normals(document)
    faces = one.part.faces[triangles]
    if stored is None:
        a, b, c = one.part.points[faces].transpose(1, 0, 2)
        normals = np.cross(b - a, c - a)
    else:
        normals = (stored[faces] * weights[..., None]).sum(axis=1)
    normals = normals @ view.T
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(length > 0, length, 1)
    normals = np.where(normals[:, 2:] < 0, -normals, normals)  # Backs are seen as fronts.
    up = normals @ view[:, 1] * 0.5 + 0.5
    light = _GROUND + (_SKY - _GROUND) * up
    for toward, power in ((_KEY, _KEY_LIGHT), (_FILL, _FILL_LIGHT)):
        light += power * np.clip(normals @ (toward / np.linalg.norm(toward)), 0, None)
    found: Floats = light[:, None]
    return found


def _colors(document: GlbDocument, one: _Seen, triangles: Integers, weights: Floats) -> Floats:
    """Base colours in light with alpha, shape (samples, 4)."""
    color = np.broadcast_to(one.look.factor, (len(triangles), 4))
    if one.look.base is not None:
        found = _sampled(document, one, one.look.base, triangles, weights)
        color = color if found is None else color * found
    painted = one.part.attribute(document, "COLOR_0")
    if painted is not None:
        blended = (painted[one.part.faces[triangles]] * weights[..., None]).sum(axis=1)
        color = color.copy()
        color[:, : blended.shape[1]] *= blended
    return color


def _sampled(
    document: GlbDocument, one: _Seen, sheet: Sheet, triangles: Integers, weights: Floats
) -> NDArray[np.float32] | None:
    stored = placed_uv(document, one.part, sheet.info)
    if stored is None:
        return None
    return sheet.at((stored[one.part.faces[triangles]] * weights[..., None]).sum(axis=1))
