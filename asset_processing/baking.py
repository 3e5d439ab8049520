"""Textures made anew for another mesh of the same surface; arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.nearest import NearestOnSurface
from asset_processing.raster import Texels, rasterise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asset_processing.accessors import Floats, Integers
    from asset_processing.nearest import Nearest

__all__ = ["Baking", "TexturedMesh", "unwrap"]

_CANDIDATES = 5  # Of the old triangles, which are small beside the distance that counts.


@dataclass(frozen=True)
class TexturedMesh:
    """A surface with texture coordinates.

    Attributes:
        positions: Shape (vertices, 3).
        normals: Shape (vertices, 3), of unit length.
        coordinates: Texture coordinates, shape (vertices, 2); v = 0 is the first row of a picture.
        triangles: Shape (triangles, 3).
    """

    positions: Floats
    normals: Floats
    coordinates: Floats
    triangles: Integers

    def at(self, values: Floats, face: Integers, weights: Floats) -> Floats:
        """Interpolate a vertex attribute at barycentric coordinates of triangles."""
        found: Floats = np.einsum("nck,nc->nk", values[self.triangles[face]], weights)
        return found

    def frame(self, face: Integers, weights: Floats) -> Floats:
        """Return tangent, bitangent and normal as rows, shape (points, 3, 3).

        The tangent follows u and the bitangent runs against v, upwards in a picture, as a normal
        map of glTF 2.0 (3.9.3) means them. Both are those of the triangle, made perpendicular to
        the interpolated normal: MikkTSpace without its averaging over vertices.
        """
        normal = _unit(self.at(self.normals, face, weights))
        along, turned = self._tangents
        tangent = along[face]
        tangent = tangent - normal * (normal * tangent).sum(axis=1, keepdims=True)
        tangent = _unit(tangent)
        bitangent = np.cross(normal, tangent) * turned[face][:, None]
        return np.stack([tangent, bitangent, normal], axis=1)

    @cached_property
    def _tangents(self) -> tuple[Floats, Floats]:
        """Where u grows on each triangle, and 1 where its texture is not mirrored, else -1."""
        corners, flat = self.positions[self.triangles], self.coordinates[self.triangles]
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
        area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
        sign = np.where(area < 0, -1.0, 1.0)
        along = (first * two[:, 1:] - second * one[:, 1:]) * sign[:, None]
        # v runs downwards, so that a texture that is not mirrored has a negative area.
        return along, -sign


def unwrap(
    positions: Floats, normals: Floats, triangles: Integers
) -> tuple[Integers, Floats, Integers]:
    """Lay a surface flat into charts that do not overlap, with xatlas.

    Returns:
        For each new vertex the one that it was, its texture coordinates, and the triangles.
    """
    import xatlas  # noqa: PLC0415  # Only a caller who bakes needs it.

    vertices, faces, coordinates = xatlas.parametrize(
        positions.astype(np.float32), triangles.astype(np.uint32), normals.astype(np.float32)
    )
    return vertices.astype(np.int64), coordinates.astype(np.float64), faces.astype(np.int64)


class Baking:
    """The way of each new texel to a place on the old surface.

    Args:
        old: The surface that has the textures.
        new: The surface that is to have them, close to the old one.
        width: Of the new textures, in texels.
        height: Of the new textures.
    """

    def __init__(self, old: TexturedMesh, new: TexturedMesh, *, width: int, height: int) -> None:
        self._old, self._new = old, new
        self._shape = (height, width)
        self._texels: Texels = rasterise(new.coordinates, new.triangles, width=width, height=height)
        face, weights = self._texels.face, self._texels.weights
        self._places: Nearest = NearestOnSurface(
            old.positions, old.triangles, candidates=_CANDIDATES
        ).find(new.at(new.positions, face, weights), facing=new.at(new.normals, face, weights))

    def bake(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture of the new size, shape (height, width, channels)."""
        return self._filled(self._looked_up(picture))

    def bake_normals(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The same for a normal map, from the old surface's tangent space to the new one's."""
        stored = self._looked_up(picture)
        vectors = _unit(stored[:, :3] / 127.5 - 1)
        old = self._old.frame(self._places.face, self._places.weights)
        new = self._new.frame(self._texels.face, self._texels.weights)
        turned = np.einsum("nij,nj->ni", new, np.einsum("nij,ni->nj", old, vectors))
        stored[:, :3] = (_unit(turned) + 1) * 127.5
        return self._filled(stored)

    def _looked_up(self, picture: NDArray[np.uint8]) -> Floats:
        places = self._places
        coordinates = self._old.at(self._old.coordinates, places.face, places.weights)
        return _sample(picture, coordinates)

    def _filled(self, values: Floats) -> NDArray[np.uint8]:
        """Lay out the texels; around them the nearest one goes on, so that no seam shows."""
        from scipy.ndimage import distance_transform_edt  # noqa: PLC0415  # Only to bake.

        height, width = self._shape
        picture = np.zeros((height * width, values.shape[1]), dtype=np.uint8)
        picture[self._texels.index] = values.round().clip(0, 255)
        empty = np.ones(height * width, dtype=bool)
        empty[self._texels.index] = False
        laid_out = picture.reshape(height, width, values.shape[1])
        if not empty.any() or empty.all():
            return laid_out
        nearest = distance_transform_edt(
            empty.reshape(height, width), return_distances=False, return_indices=True
        )
        filled: NDArray[np.uint8] = laid_out[tuple(nearest)]
        return filled


def _sample(picture: NDArray[np.uint8], coordinates: Floats) -> Floats:
    """Look a picture up between its texels; beyond its edges it repeats."""
    height, width, _ = picture.shape
    at = coordinates * (width, height) - 0.5
    low = np.floor(at).astype(np.int64)
    x, y = (at - low).T[:, :, None]
    left, right = low[:, 0] % width, (low[:, 0] + 1) % width
    top, bottom = low[:, 1] % height, (low[:, 1] + 1) % height
    above = picture[top, left] * (1 - x) + picture[top, right] * x
    below = picture[bottom, left] * (1 - x) + picture[bottom, right] * x
    found: Floats = above * (1 - y) + below * y
    return found


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.where(length > 0, length, 1)
    return unit
