"""Meshes like those that Pixal3D delivers, made here: one primitive, two textures, no scale.

A figure with limbs, a ring, a thin blade and noise is cut out of a lattice, unwrapped
into charts and painted in three dimensions. Two atlases bracket what generators do: a *clean* one
of large charts and a *fragmented* one of thousands of small ones.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from asset_processing.raster import rasterise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Surface", "make_surface", "write_model"]

_SEED = 20261121
_VERSION = b"1"


@dataclass(frozen=True, slots=True)
class Surface:
    """An unwrapped mesh.

    Attributes:
        positions: Shape (vertices, 3), float32, within half a metre of the origin.
        normals: Shape (vertices, 3).
        coordinates: Texture coordinates, shape (vertices, 2).
        triangles: Shape (triangles, 3).
        charts: How many charts the atlas has.
    """

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    coordinates: NDArray[np.float32]
    triangles: NDArray[np.int64]
    charts: int


def make_surface(*, triangles: int, fragmented: bool) -> Surface:
    """Make the figure with about so many triangles, the same for the same arguments."""
    points, faces, smooth = _figure(triangles)
    normals = _vertex_normals(points, faces)
    labels = _labels(points, faces, normals if fragmented else smooth, fragmented=fragmented)
    return _unwrapped(points, faces, normals, labels)


def write_model(surface: Surface, path: Path, *, size: int, media_type: str) -> None:
    """Write the GLB as trimesh does for Pixal3D: base colour and metallic-roughness, embedded."""
    base, material = _paint(surface, size)
    images = [_encode(base, media_type), _encode(material, media_type)]
    path.write_bytes(_glb(surface, images, media_type))


# The shape


def _figure(triangles: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Vertices, triangles, and normals of the surface without its noise."""
    # The figure has about 3.16 triangles for each square of the lattice's height.
    height = max(12, round((triangles / 3.16) ** 0.5))
    shape = (round(height * 0.8), height, round(height * 0.5))
    axes = [(np.arange(count) - (count - 1) / 2) / height for count in shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)
    smooth = _distance(grid)
    noise = np.random.default_rng(_SEED).standard_normal(shape).astype(np.float32)
    rough = sum(
        amount * ndimage.gaussian_filter(noise, width) * width**1.5
        for amount, width in ((0.45, 0.8), (0.6, 2.0), (0.8, 6.0))
    )
    field = smooth + rough / height
    points, faces = _surface_nets(field)
    gradient = np.stack(np.gradient(ndimage.gaussian_filter(smooth, 2)), axis=-1)
    cells = np.round(points).astype(int)
    normals = gradient[tuple(cells.T)]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    return (points - (np.array(shape) - 1) / 2) / height, faces, normals


def _distance(at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Roughly the distance to the figure, negative inside."""
    x, y, z = at[..., 0], at[..., 1], at[..., 2]
    side = np.abs(x)

    def ball(
        cx: float, cy: float, cz: float, rx: float, ry: float, rz: float
    ) -> NDArray[np.float32]:
        reach = np.sqrt(((side - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2)
        return (reach - 1) * min(rx, ry, rz)

    def rod(a: tuple[float, ...], b: tuple[float, ...], radius: float) -> NDArray[np.float32]:
        axis = np.subtract(b, a)
        offset = np.stack([side - a[0], y - a[1], z - a[2]], axis=-1)
        along = ((offset @ axis) / (axis @ axis)).clip(0, 1)
        return np.linalg.norm(offset - along[..., None] * axis, axis=-1) - radius

    parts = [
        ball(0, 0.02, 0, 0.15, 0.2, 0.11),
        ball(0, 0.3, 0.02, 0.1, 0.12, 0.1),
        rod((0.12, 0.14, 0), (0.3, -0.02, 0.05), 0.045),
        rod((0.07, -0.15, 0), (0.1, -0.44, 0.02), 0.055),
        np.hypot(np.hypot(x - 0.24, y + 0.12) - 0.07, z - 0.06) - 0.02,  # A ring: genus 1.
        np.maximum.reduce([np.abs(z + 0.13) - 0.012, side - 0.16, np.abs(y - 0.05) - 0.22]),
    ]
    blended = parts[0]
    for part in parts[1:]:
        width = 0.02
        mix = (0.5 + 0.5 * (blended - part) / width).clip(0, 1)
        blended = blended * (1 - mix) + part * mix - width * mix * (1 - mix)
    return blended.astype(np.float32)


def _surface_nets(field: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Gibson's surface nets: a vertex in each cell that the surface crosses, in lattice units."""
    inside = field < 0
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    size = np.array(field.shape) - 1

    def shifted(array: NDArray[np.generic], offset: tuple[int, ...]) -> NDArray[np.generic]:
        return array[tuple(slice(o, o + n) for o, n in zip(offset, size, strict=True))]

    count = sum(shifted(inside, corner).astype(np.int8) for corner in corners)
    cells = np.argwhere((count > 0) & (count < len(corners)))
    number = np.full(tuple(size), -1, dtype=np.int64)
    number[tuple(cells.T)] = np.arange(len(cells))
    total, hits = np.zeros((len(cells), 3)), np.zeros(len(cells))
    for a in corners:
        for axis in range(3):
            if a[axis]:
                continue
            b = tuple(c + (axis == n) for n, c in enumerate(a))
            low = field[tuple((cells + a).T)].astype(np.float64)
            high = field[tuple((cells + b).T)].astype(np.float64)
            crosses = (low < 0) != (high < 0)
            share = low[crosses] / (low[crosses] - high[crosses])
            point = np.repeat(np.array([a], dtype=np.float64), len(share), axis=0)
            point[:, axis] += share
            total[crosses] += point
            hits[crosses] += 1
    points = cells + total / hits[:, None]
    faces = [_quads(inside, number, axis) for axis in range(3)]
    return points, np.concatenate(faces)


def _quads(inside: NDArray[np.bool_], number: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Two triangles around each lattice edge along an axis that the surface crosses."""
    step = np.eye(3, dtype=int)
    ahead = np.moveaxis(inside, axis, 0)
    edges = np.argwhere(np.moveaxis(ahead[:-1] != ahead[1:], 0, axis))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    edges = edges[(edges[:, one] > 0) & (edges[:, two] > 0)]
    edges = edges[(edges[:, one] < number.shape[one]) & (edges[:, two] < number.shape[two])]
    around = [edges - step[one] - step[two], edges - step[two], edges, edges - step[one]]
    quad = np.stack([number[tuple(cell.T)] for cell in around], axis=1)
    outward = inside[tuple(edges.T)]
    quad[~outward] = quad[~outward, ::-1]
    return np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])


def _vertex_normals(points: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    corners = points[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], cross)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-20)


# The atlas


def _labels(
    points: NDArray[np.float64],
    faces: NDArray[np.int64],
    normals: NDArray[np.float64],
    *,
    fragmented: bool,
) -> NDArray[np.int64]:
    """The chart of each triangle: neighbours that face the same way."""
    if fragmented:
        corners = points[faces]
        facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        facing /= np.linalg.norm(facing, axis=1, keepdims=True).clip(1e-20)
        facing = 0.45 * facing + 0.55 * normals[faces].mean(axis=1)
    else:
        facing = normals[faces].mean(axis=1)
    axis = np.abs(facing).argmax(axis=1)
    kind = axis * 2 + (facing[np.arange(len(faces)), axis] > 0)
    if fragmented:
        # Patches as an unwrapper leaves them that stops at a cost: about 60 triangles at most.
        cell = np.floor(points[faces].mean(axis=1) * (len(faces) / 400_000) ** 0.5 * 50)
        kind = kind + 6 * (cell.astype(np.int64) @ (1, 1_000, 1_000_000) + 600_600_600)
    return _connected(faces, kind)


def _connected(faces: NDArray[np.int64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the connected sets of triangles of one kind."""
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort(sides.T)
    sides, owner = sides[order], owner[order]
    same = (sides[1:] == sides[:-1]).all(axis=1) & (kind[owner[1:]] == kind[owner[:-1]])
    pairs = owner[:-1][same], owner[1:][same]
    graph = coo_array((np.ones(len(pairs[0])), pairs), shape=(len(faces), len(faces)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _unwrapped(
    points: NDArray[np.float64],
    faces: NDArray[np.int64],
    normals: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> Surface:
    """Cut the surface into its charts and lay each one flat along its main axis."""
    keys = labels[:, None] * len(points) + faces
    used, triangles = np.unique(keys, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    vertex, chart = used % len(points), used // len(points)
    facing = np.zeros((labels.max() + 1, 3))
    np.add.at(facing, chart, normals[vertex])
    axis = np.abs(facing).argmax(axis=1)[chart]
    place = points[vertex]
    flat = place[np.arange(len(place))[:, None], np.stack([(axis + 1) % 3, (axis + 2) % 3], 1)]
    coordinates = _packed(flat, chart, labels.max() + 1)
    return Surface(
        positions=place.astype(np.float32),
        normals=normals[vertex].astype(np.float32),
        coordinates=coordinates.astype(np.float32),
        triangles=triangles,
        charts=int(labels.max() + 1),
    )


def _packed(
    flat: NDArray[np.float64], chart: NDArray[np.int64], charts: int
) -> NDArray[np.float64]:
    """Lay the charts on shelves in the unit square, the tallest first, two texels of 2048 apart."""
    low, high = np.full((charts, 2), np.inf), np.full((charts, 2), -np.inf)
    np.minimum.at(low, chart, flat)
    np.maximum.at(high, chart, flat)
    size, gap = high - low, 2 / 2048
    few, many = 0.0, 1 / size.max()
    for _ in range(40):
        scale = (few + many) / 2
        places = _shelves(size * scale + gap)
        few, many = (few, scale) if places is None else (scale, many)
    places = _shelves(size * few + gap)
    assert places is not None
    return (flat - low[chart]) * few + places[chart] + gap / 2


def _shelves(size: NDArray[np.float64]) -> NDArray[np.float64] | None:
    places = np.empty_like(size)
    x = y = shelf = 0.0
    for index in np.argsort(-size[:, 1], kind="stable"):
        width, height = size[index]
        if x + width > 1:
            x, y, shelf = 0.0, y + shelf, 0.0
        if width > 1 or y + height > 1:
            return None
        shelf = max(shelf, height)
        places[index] = x, y
        x += width
    return places


# The textures


def _paint(surface: Surface, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Base colour and metallic-roughness, painted where each texel lies on the surface."""
    texels = rasterise(
        surface.coordinates.astype(np.float64), surface.triangles, width=size, height=size
    )
    corners = surface.positions[surface.triangles[texels.face]]
    point = np.einsum("tck,tc->tk", corners, texels.weights.astype(np.float32))
    x, y, z = point.T
    weave = np.sin(61 * x + 9 * np.sin(23 * y)) * np.sin(53 * y + 7 * np.sin(19 * z))
    patch = np.sin(17 * x + 5 * np.sin(11 * z)) + np.sin(13 * y + 4 * np.sin(9 * x))
    color = np.stack(
        [
            140 + 60 * np.tanh(2 * patch) + 14 * weave,
            110 + 40 * np.sin(9 * y + 3 * patch) + 12 * weave,
            90 + 50 * np.cos(7 * z + 2 * patch) + 10 * weave,
        ],
        axis=-1,
    )
    base = _filled(color, texels.index, size)
    rough = np.stack([0 * x, 150 + 60 * weave, 40 + 40 * (patch > 0)], axis=-1)
    return base, _filled(rough, texels.index, size)


def _filled(values: NDArray[np.float32], index: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """The texels in a picture, and around them the nearest ones."""
    picture = np.zeros((size * size, 3), dtype=np.uint8)
    picture[index] = values.clip(0, 255).round()
    empty = np.ones(size * size, dtype=bool)
    empty[index] = False
    nearest = ndimage.distance_transform_edt(
        empty.reshape(size, size), return_distances=False, return_indices=True
    )
    return picture.reshape(size, size, 3)[tuple(nearest)]


def _encode(picture: NDArray[np.uint8], media_type: str) -> bytes:
    file = io.BytesIO()
    if media_type == "image/webp":
        Image.fromarray(picture).save(file, "WEBP", quality=80, method=2)
    else:
        Image.fromarray(picture).save(file, "PNG", compress_level=3)
    return file.getvalue()


# The file


def _glb(surface: Surface, images: list[bytes], media_type: str) -> bytes:
    positions = surface.positions
    blocks = [
        surface.triangles.astype("<u4").tobytes(),
        positions.astype("<f4").tobytes(),
        surface.normals.astype("<f4").tobytes(),
        surface.coordinates.astype("<f4").tobytes(),
        *images,
    ]
    views, binary = [], bytearray()
    for block in blocks:
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(block)})
        binary += block + bytes(-len(block) % 4)
    count = len(positions)
    webp = media_type == "image/webp"
    document = {
        "asset": {"version": "2.0", "generator": "assetwright benchmarks"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "world", "mesh": 0}],
        "meshes": [
            {
                "name": "geometry_0",
                "primitives": [
                    {
                        "attributes": {"POSITION": 1, "NORMAL": 2, "TEXCOORD_0": 3},
                        "indices": 0,
                        "material": 0,
                    }
                ],
            }
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5125,
                "count": surface.triangles.size,
                "type": "SCALAR",
            },
            {
                "bufferView": 1,
                "componentType": 5126,
                "count": count,
                "type": "VEC3",
                "min": positions.min(axis=0).tolist(),
                "max": positions.max(axis=0).tolist(),
            },
            {"bufferView": 2, "componentType": 5126, "count": count, "type": "VEC3"},
            {"bufferView": 3, "componentType": 5126, "count": count, "type": "VEC2"},
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicRoughnessTexture": {"index": 1},
                }
            }
        ],
        "textures": [
            {"extensions": {"EXT_texture_webp": {"source": image}}} if webp else {"source": image}
            for image in range(2)
        ],
        "images": [{"bufferView": 4 + image, "mimeType": media_type} for image in range(2)],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    if webp:
        document["extensionsUsed"] = document["extensionsRequired"] = ["EXT_texture_webp"]
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", len(binary), 0x004E4942) + bytes(binary)
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body
