"""Render `assetwright/cli/demo.png`, the picture of `assetwright demo`: a toadstool.

    python tools/render_demo_picture.py [TARGET]

The scene is a signed distance function, marched with numpy. Nothing is random, so the same library
versions give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = NDArray[np.float64]

TARGET = Path(__file__).parent.parent / "assetwright" / "cli" / "demo.png"
SIZE = 512
SAMPLES = 2  # Along each side of a pixel.
LEVELS = 5  # Colours are rounded to multiples of this: invisible, and a third of the file.
UNDERSIDE = -0.35  # A cap's normal that points further down than this belongs to the gills.
LARGEST_FILE = 60_000

PITCH = np.radians(9.0)  # The camera looks down by this much.
HALF_VIEW = 1.18  # Half the width of the view, in scene units.
STEPS = 140
FAR = 6.0
NEAR_ENOUGH = 1e-3
AO_STEPS = (0.05, 0.12, 0.26, 0.48)  # Distances at which the surroundings are probed.
GRAZING = 2e-2  # A ray that ran out of steps this near the surface has as good as met it.
CAREFUL = 0.7  # The distances below are estimates; shorter steps stay outside.

KEY_LIGHT = np.array([-0.45, 0.75, 0.60])
RED = np.array([0.80, 0.075, 0.06])
WHITE = np.array([0.96, 0.91, 0.82])
STEM = np.array([0.90, 0.82, 0.67])
GILLS = np.array([0.84, 0.68, 0.50])
MOSS = np.array([0.28, 0.46, 0.12])

# Direction of each white spot from the cap's centre, and its radius.
SPOTS = np.array(
    [
        [0.00, 0.80, 0.62, 0.20],
        [-0.62, 0.55, 0.62, 0.17],
        [0.58, 0.50, 0.70, 0.19],
        [-0.14, 0.30, 0.98, 0.16],
        [-0.92, 0.22, 0.38, 0.15],
        [0.93, 0.24, 0.34, 0.14],
        [0.42, 0.14, 0.93, 0.09],
        [-0.55, 0.12, 0.86, 0.10],
        [-0.35, 0.98, 0.10, 0.15],
        [0.45, 0.92, 0.05, 0.13],
    ]
)


def smooth_union(a: Array, b: Array, radius: float) -> Array:
    """Join two distances with a fillet."""
    h = np.clip(0.5 + 0.5 * (b - a) / radius, 0, 1)
    return b * (1 - h) + a * h - radius * h * (1 - h)


def ellipsoid(p: Array, centre: tuple[float, float, float], radii: Array) -> Array:
    """Estimate the distance to an ellipsoid."""
    q = p - np.array(centre)
    k = np.linalg.norm(q / radii, axis=-1)
    return k * (k - 1) / np.maximum(np.linalg.norm(q / radii**2, axis=-1), 1e-9)


def spot_depth(p: Array) -> Array:
    """How far inside a white spot each point lies: positive inside."""
    direction = (p - [0.0, 0.12, 0.0]) / [0.98, 0.80, 0.98]
    direction /= np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-9)
    centres = SPOTS[:, :3] / np.linalg.norm(SPOTS[:, :3], axis=1, keepdims=True)
    away = np.arccos(np.clip(direction @ centres.T, -1, 1))
    return (SPOTS[:, 3] - away).max(axis=-1)


def cap(p: Array) -> Array:
    """The cap: a dome, hollowed a little from below, with raised spots."""
    dome = ellipsoid(p, (0.0, 0.12, 0.0), np.array([0.98, 0.80, 0.98]))
    raised = np.clip(spot_depth(p) / 0.10, 0, 1)
    dome = dome - 0.034 * raised * (2 - raised)
    radius = np.hypot(p[..., 0], p[..., 2])
    below = 0.10 - 0.10 * (1 - radius**2) - p[..., 1]
    rounding = 0.10
    h = np.clip(0.5 - 0.5 * (below - dome) / rounding, 0, 1)
    return below * (1 - h) + dome * h + rounding * h * (1 - h)


def stem(p: Array) -> Array:
    """The stem, wider towards the ground, with a skirt."""
    t = np.clip((p[..., 1] + 0.95) / 1.15, 0, 1)
    radius = 0.36 - 0.15 * t + 0.05 * t**2
    shaft = np.hypot(p[..., 0], p[..., 2]) - radius
    shaft = np.maximum(shaft, np.abs(p[..., 1] + 0.38) - 0.60)
    skirt = ellipsoid(p, (0.0, -0.20, 0.0), np.array([0.40, 0.085, 0.40]))
    return smooth_union(shaft, skirt, 0.06)


def moss(p: Array) -> Array:
    """The ground: a cushion of moss with a few tufts."""
    ground = ellipsoid(p, (0.0, -1.00, 0.0), np.array([0.72, 0.17, 0.60]))
    for x, z, size in ((-0.42, 0.25, 0.17), (0.46, 0.18, 0.15), (0.14, 0.42, 0.13)):
        tuft = np.linalg.norm(p - np.array([x, -0.93, z]), axis=-1) - size
        ground = smooth_union(ground, tuft, 0.06)
    return ground


def scene(p: Array) -> Array:
    """Distance from each point to the toadstool."""
    return smooth_union(np.minimum(cap(p), stem(p)), moss(p), 0.05)


def rays() -> tuple[Array, Array]:
    """Origins (n, 3) and the one direction of an orthographic camera."""
    n = SIZE * SAMPLES
    x = ((np.arange(n) + 0.5) / n * 2 - 1) * HALF_VIEW
    right, up = np.meshgrid(x, -x)
    direction = np.array([0.0, -np.sin(PITCH), -np.cos(PITCH)])
    upwards = np.array([0.0, np.cos(PITCH), -np.sin(PITCH)])
    origin = right[..., None] * [1.0, 0.0, 0.0] + up[..., None] * upwards - 3.0 * direction
    origin += np.array([0.0, -0.12, 0.0])
    return origin.reshape(-1, 3), direction


def march(origins: Array, direction: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Walk along the rays; return where they are and which of them hit."""
    travelled = np.zeros(len(origins))
    hit = np.zeros(len(origins), dtype=bool)
    active = np.arange(len(origins))
    for _ in range(STEPS):
        distance = scene(origins[active] + travelled[active, None] * direction)
        hit[active[distance < NEAR_ENOUGH]] = True
        travelled[active] += np.maximum(distance, 0) * CAREFUL
        active = active[(distance >= NEAR_ENOUGH) & (travelled[active] < FAR)]
    ends = origins + travelled[:, None] * direction
    hit[active] = scene(ends[active]) < GRAZING
    return ends, hit


def normals(p: Array) -> Array:
    """Gradient of the distance, by central differences along a tetrahedron."""
    corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=np.float64)
    total = sum(corner * scene(p + 1e-3 * corner)[:, None] for corner in corners)
    unit: Array = total / np.linalg.norm(total, axis=1, keepdims=True)
    return unit


def openness(p: Array, n: Array) -> Array:
    """How little of the surroundings is hidden: 1 in the open, less in a crevice."""
    hidden = sum((step - scene(p + step * n)) * 0.6**k for k, step in enumerate(AO_STEPS))
    return np.clip(1 - 1.9 * hidden, 0.2, 1)


def surface_colour(p: Array, n: Array) -> Array:
    """Which material each point shows."""
    parts: tuple[Callable[[Array], Array], ...] = (cap, stem, moss)
    nearest = np.argmin([part(p) for part in parts], axis=0)
    spots = np.clip(spot_depth(p) / 0.02 + 0.5, 0, 1)[:, None]
    angle = np.arctan2(p[:, 2], p[:, 0])
    folds = (0.88 + 0.12 * np.cos(44 * angle))[:, None]
    top = RED * (1 - spots) + WHITE * spots
    under = (n[:, 1] < UNDERSIDE)[:, None]
    capped = np.where(under, GILLS * folds, top)
    speckle = np.sin(17 * p[:, 0]) * np.sin(19 * p[:, 1]) * np.sin(13 * p[:, 2])
    green = MOSS * (1 + 0.22 * speckle)[:, None]
    return np.select([nearest[:, None] == 0, nearest[:, None] == 1], [capped, STEM + 0 * p], green)


def shade(p: Array, view: Array) -> Array:
    """Light the points: one key light, the sky, the ground, and a soft highlight."""
    n = normals(p)
    key = KEY_LIGHT / np.linalg.norm(KEY_LIGHT)
    halfway = key - view
    halfway = halfway / np.linalg.norm(halfway)
    open_ = openness(p, n)[:, None]
    lambert = (np.clip(n @ key + 0.15, 0, None) / 1.15)[:, None]
    sky = (0.5 + 0.5 * n[:, 1])[:, None]
    light = 0.95 * lambert * [1.0, 0.96, 0.88] + open_ * (
        sky * [0.42, 0.47, 0.55] + (1 - sky) * [0.24, 0.20, 0.16]
    )
    shine = 0.16 * np.clip(n @ halfway, 0, 1)[:, None] ** 24
    linear = surface_colour(p, n) * light * (0.4 + 0.6 * open_) + shine
    colour: Array = np.clip(linear, 0, 1) ** (1 / 2.2)
    return colour


def render() -> Image.Image:
    """Render with alpha; edges are antialiased with premultiplied colours."""
    origins, direction = rays()
    points, hit = march(origins, direction)
    premultiplied = np.zeros((len(origins), 4))
    premultiplied[hit, :3] = shade(points[hit], direction)
    premultiplied[hit, 3] = 1
    small = premultiplied.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 4).mean(axis=(1, 3))
    colour = small[..., :3] / np.maximum(small[..., 3:], 1e-9)
    rounded = np.clip(np.round(colour * 255 / LEVELS) * LEVELS, 0, 255)
    rounded[small[..., 3] == 0] = 0
    pixels = np.concatenate([rounded, np.round(small[..., 3:] * 255)], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def main() -> None:
    """Write the picture, and refuse one that is too large to ship."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    render().save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target.name}: {size} bytes")
    if size > LARGEST_FILE:
        raise SystemExit(f"It may have at most {LARGEST_FILE} bytes.")


if __name__ == "__main__":
    main()
