"""The nearest point of a surface, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers

__all__ = ["Nearest", "NearestOnSurface", "sample_surface"]

_CHUNK = 50_000  # Points looked at together, each with its candidates: about 200 MB.


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where on a surface the nearest points lie.

    Attributes:
        face: The triangle of each.
        weights: Barycentric coordinates in it, shape (points, 3), none below 0.
        distance: How far each is.
    """

    face: Integers
    weights: Floats
    distance: Floats


class NearestOnSurface:
    """A surface to ask for nearest points.

    The triangles with the nearest centroids are looked at exactly. Where triangles are long, the
    nearest one may not be among them; the distance is then too large, never too small.

    Args:
        vertices: Shape (vertices, 3).
        triangles: Shape (triangles, 3), at least one.
        candidates: How many triangles are looked at for a point.
    """

    def __init__(self, vertices: Floats, triangles: Integers, *, candidates: int = 12) -> None:
        from scipy.spatial import cKDTree  # noqa: PLC0415  # 0.2 s that most callers need not pay.

        self._corners = vertices[triangles]
        self._tree = cKDTree(self._corners.mean(axis=1), balanced_tree=False)
        self._candidates = min(candidates, len(triangles))

    @cached_property
    def _fronts(self) -> Floats:
        corners = self._corners
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    def find(self, points: Floats, *, facing: Floats | None = None) -> Nearest:
        """Return the nearest point of the surface for each of shape (points, 3).

        Args:
            points: Shape (points, 3).
            facing: For each a direction that the triangle's front shall not turn away from, where
                there is such a triangle: the two sides of a thin part so stay apart.
        """
        parts = [
            self._find(
                points[start : start + _CHUNK],
                None if facing is None else facing[start : start + _CHUNK],
            )
            for start in range(0, len(points), _CHUNK)
        ]
        if not parts:
            return Nearest(np.empty(0, np.int64), np.empty((0, 3)), np.empty(0))
        return Nearest(
            np.concatenate([part.face for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.distance for part in parts]),
        )

    def _find(self, points: Floats, facing: Floats | None) -> Nearest:
        _, faces = self._tree.query(points, k=self._candidates)
        faces = np.asarray(faces, dtype=np.int64).reshape(len(points), -1)
        weights, squared = _on_triangles(points[:, None], self._corners[faces])
        rows = np.arange(len(points))
        judged = squared
        if facing is not None:
            away = np.einsum("nck,nk->nc", self._fronts[faces], facing) <= 0
            judged = np.where(away & ~away.all(axis=1, keepdims=True), np.inf, squared)
        best = judged.argmin(axis=1)
        return Nearest(faces[rows, best], weights[rows, best], np.sqrt(squared[rows, best]))


def _on_triangles(points: Floats, corners: Floats) -> tuple[Floats, Floats]:
    """Return barycentric coordinates and squared distances; shapes (..., 3) and (..., 3, 3) in."""
    first, second = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    offset = points - corners[..., 0, :]
    one, mixed, two = _dot(first, first), _dot(first, second), _dot(second, second)
    along, across = _dot(offset, first), _dot(offset, second)
    doubled = one * two - mixed * mixed
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = (two * along - mixed * across) / doubled
        gamma = (one * across - mixed * along) / doubled
    inside = (beta >= 0) & (gamma >= 0) & (beta + gamma <= 1)
    weights = np.stack([1 - beta - gamma, beta, gamma], axis=-1)
    best = np.where(inside, _squared(weights, corners, points), np.inf)
    weights = np.where(inside[..., None], weights, 0.0)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edge = corners[..., b, :] - corners[..., a, :]
        length = _dot(edge, edge)
        share = _dot(points - corners[..., a, :], edge) / np.where(length > 0, length, 1)
        share = share.clip(0, 1)
        found = np.zeros_like(weights)
        found[..., a], found[..., b] = 1 - share, share
        squared = _squared(found, corners, points)
        nearer = squared < best
        best = np.where(nearer, squared, best)
        weights = np.where(nearer[..., None], found, weights)
    return weights, best


def _squared(weights: Floats, corners: Floats, points: Floats) -> Floats:
    offset = np.einsum("...c,...ck->...k", weights, corners) - points
    return _dot(offset, offset)


def _dot(a: Floats, b: Floats) -> Floats:
    product: Floats = np.einsum("...k,...k->...", a, b)
    return product


def sample_surface(
    vertices: Floats, triangles: Integers, *, count: int, seed: int = 0
) -> tuple[Integers, Floats]:
    """Return triangles and barycentric coordinates of points spread evenly over a surface."""
    corners = vertices[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.cumsum(np.sqrt(_dot(cross, cross)))
    random = np.random.default_rng(seed)
    faces = np.searchsorted(total, random.random(count) * total[-1]).clip(max=len(triangles) - 1)
    root, share = np.sqrt(random.random(count)), random.random(count)
    weights = np.stack([1 - root, root * (1 - share), root * share], axis=-1)
    return faces.astype(np.int64), weights
