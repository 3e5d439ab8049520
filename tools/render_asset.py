"""Render a GLB from several sides beside its picture: how docs/images/demo.png is made.

    python tools/render_asset.py PICTURE FILE.glb OUT.png

Points are drawn on the triangles, as many as their area asks for, and splatted from back to front.
That needs numpy and no graphics driver, and is good enough to look at.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import trimesh
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDE = 360  # Pixels of one view.
ANGLES = (0, 45, 90, 180)  # Degrees around the vertical axis.
POINTS = 2_500_000
LIGHT = np.array([0.3, 0.5, 0.8])
AMBIENT = 0.45


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points on a surface: where (n, 3), which way it faces (n, 3), its colour (n, 3)."""

    points: Floats
    normals: Floats
    colors: Floats


def sampled(path: Path) -> Cloud:
    """Return points all over the first mesh of a GLB."""
    scene = trimesh.load_scene(path)
    name = next(iter(scene.graph.nodes_geometry))
    matrix, key = scene.graph.get(name)
    mesh = scene.geometry[key]
    corners = trimesh.transform_points(mesh.vertices, matrix)[mesh.faces]
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(crosses, axis=1)
    chance = np.random.default_rng(0)
    chosen = chance.choice(len(areas), POINTS, p=areas / areas.sum())
    first, second = np.sort(chance.random((POINTS, 2)), axis=1).T
    weights = np.stack([first, second - first, 1 - second], axis=1)[:, :, None]
    uvs = (mesh.visual.uv[mesh.faces][chosen] * weights).sum(axis=1)
    return Cloud(
        points=(corners[chosen] * weights).sum(axis=1),
        normals=(crosses / np.maximum(areas, 1e-12)[:, None])[chosen],
        colors=_texels(mesh.visual.material.baseColorTexture, uvs),
    )


def view(cloud: Cloud, degrees: float) -> Floats:
    """Return one view, (SIDE, SIDE, 3), from 0 to 255."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    low, high = cloud.points.min(axis=0), cloud.points.max(axis=0)
    turned = (cloud.points - (low + high) / 2) @ turn.T / np.linalg.norm(high - low)
    shade = AMBIENT + (1 - AMBIENT) * np.clip(cloud.normals @ turn.T @ LIGHT, 0, 1)
    back_to_front = np.argsort(turned[:, 2])
    x, y = (((turned[:, :2] * [1, -1] + 0.5) * SIDE).astype(int).clip(0, SIDE - 1)).T
    image = np.full((SIDE, SIDE, 3), 255.0)
    image[y[back_to_front], x[back_to_front]] = (cloud.colors * shade[:, None])[back_to_front]
    return image


def _texels(texture: Image.Image, uvs: Floats) -> Floats:
    pixels = np.asarray(texture.convert("RGB"), dtype=float)
    height, width, _ = pixels.shape
    rows = ((1 - uvs[:, 1]) * (height - 1)).astype(int).clip(0, height - 1)
    columns = (uvs[:, 0] * (width - 1)).astype(int).clip(0, width - 1)
    return pixels[rows, columns]


def main() -> None:
    """Render what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("picture", "glb", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    picture = Image.open(arguments.picture).convert("RGBA").resize((SIDE, SIDE))
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    cloud = sampled(arguments.glb)
    images = [np.asarray(ground.convert("RGB"), dtype=float)]
    images += [view(cloud, degrees) for degrees in ANGLES]
    Image.fromarray(np.concatenate(images, axis=1).astype(np.uint8)).save(
        arguments.out, optimize=True
    )
    print(arguments.out)


if __name__ == "__main__":
    main()
