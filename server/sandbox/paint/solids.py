"""Simple solids, and where rays along the view meet them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Colour", "Pattern", "Pixels", "Shape", "Solid", "hit", "rotation"]

Colour: TypeAlias = tuple[float, float, float]
"""sRGB in 0..1."""

Pixels: TypeAlias = NDArray[np.float32]
"""One number, or one vector, for each pixel. Single precision is twice as fast here."""

_PARALLEL = 1e-6  # Stands for a ray that runs along a face, so that nothing is divided by zero.
_FAR = np.float32(1e9)


class Shape(Enum):
    """What a solid is before it is stretched, turned and moved; all fit into -1..1."""

    BALL = "ball"
    BOX = "box"
    TUBE = "tube"
    """Upright, closed; its upper radius may differ from its lower one."""


class Pattern(Enum):
    """What a surface looks like beyond its colour."""

    PLAIN = "plain"
    WOOD = "wood"
    STONE = "stone"
    SPOTS = "spots"
    BRICKS = "bricks"
    LEAVES = "leaves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid:
    """One part of an object. x is right, y up, z towards the viewer.

    Attributes:
        shape: Its form.
        centre: Where it is.
        size: Half its extent along each of its own axes.
        colour: Its main colour.
        second: The colour of what its pattern adds.
        pattern: What its surface looks like.
        turn: Rotation about x, y and z, in degrees, in this order.
        gloss: From 0, matt, to 1.
        top: Upper radius of a tube, as a part of the lower one.
    """

    shape: Shape
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    colour: Colour
    second: Colour = (1.0, 1.0, 1.0)
    pattern: Pattern = Pattern.PLAIN
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gloss: float = 0.2
    top: float = 1.0


def rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Make the matrix that turns about x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    found: NDArray[np.float64] = about_z @ about_y @ about_x
    return found


def hit(solid: Solid, origins: Pixels, direction: NDArray[np.float32]) -> tuple[Pixels, Pixels]:
    """Find where rays first meet a solid, in its own coordinates.

    Args:
        solid: The solid.
        origins: (3, h, w): where each ray starts.
        direction: (3,): where all of them go.

    Returns:
        (h, w) distances, infinite where a ray misses, and (3, h, w) normals of any length.
    """
    return _HITS[solid.shape](origins, direction, solid.top)


def _hit_ball(o: Pixels, d: NDArray[np.float32], _: float) -> tuple[Pixels, Pixels]:
    a = d @ d
    b = np.einsum("i,ihw->hw", d, o)
    c = np.einsum("ihw,ihw->hw", o, o) - 1
    inside = b * b - a * c
    t = (-b - np.sqrt(np.maximum(inside, 0))) / a
    return np.where(inside > 0, t, np.inf).astype(np.float32), o + t * d[:, None, None]


def _hit_box(o: Pixels, d: NDArray[np.float32], _: float) -> tuple[Pixels, Pixels]:
    along = np.where(np.abs(d) < _PARALLEL, _PARALLEL, d)[:, None, None].astype(np.float32)
    low, high = (-1 - o) / along, (1 - o) / along
    enters = np.minimum(low, high)
    t = enters.max(axis=0)
    leaves = np.maximum(low, high).min(axis=0)
    normals = -np.sign(along) * (enters == t)
    return np.where(t < leaves, t, np.inf).astype(np.float32), normals.astype(np.float32)


def _hit_tube(o: Pixels, d: NDArray[np.float32], top: float) -> tuple[Pixels, Pixels]:
    middle, slope = (1 + top) / 2, (top - 1) / 2
    t = _tube_side(o, d, middle, slope)
    at = o + t * d[:, None, None]
    normals = np.stack([at[0], -slope * (middle + slope * at[1]), at[2]])
    for end, radius in ((-1.0, 1.0), (1.0, top)):
        along = float(d[1]) or _PARALLEL
        t_end = (end - o[1]) / along
        x, z = o[0] + t_end * d[0], o[2] + t_end * d[2]
        nearer = (x * x + z * z <= radius * radius) & (t_end < t)
        t = np.where(nearer, t_end, t)
        normals = np.where(nearer, np.array([0, end, 0])[:, None, None], normals)
    return np.where(t < _FAR, t, np.inf).astype(np.float32), normals.astype(np.float32)


def _tube_side(o: Pixels, d: NDArray[np.float32], middle: float, slope: float) -> Pixels:
    radius = middle + slope * o[1]
    a = float(d[0] ** 2 + d[2] ** 2 - (slope * d[1]) ** 2) or _PARALLEL
    b = o[0] * d[0] + o[2] * d[2] - slope * d[1] * radius
    c = o[0] ** 2 + o[2] ** 2 - radius**2
    inside = b * b - a * c
    root = np.sqrt(np.maximum(inside, 0))
    nearest = np.full(inside.shape, _FAR, dtype=np.float32)
    for t in ((-b - root) / a, (-b + root) / a):
        y = o[1] + t * d[1]
        valid = (inside > 0) & (np.abs(y) <= 1) & (middle + slope * y >= 0) & (t < nearest)
        nearest = np.where(valid, t, nearest)
    return nearest


_HITS: dict[Shape, Callable[[Pixels, NDArray[np.float32], float], tuple[Pixels, Pixels]]] = {
    Shape.BALL: _hit_ball,
    Shape.BOX: _hit_box,
    Shape.TUBE: _hit_tube,
}
