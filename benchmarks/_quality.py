"""How far a simplified model is from the full one: distance, colour, shading."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from asset_processing.accessors import integers, numbers
from asset_processing.document import GlbDocument
from asset_processing.nearest import NearestOnSurface, sample_surface

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Quality", "Reference"]


@dataclass(frozen=True, slots=True)
class Quality:
    """What a simplified model measures against the full one.

    Attributes:
        triangles: How many it has.
        color: Mean difference of the base colour's channels at corresponding points, 0 to 255.
        hausdorff_percent: Largest distance between the two in both directions, of the diagonal.
        normal_degrees: Mean angle between the shading normals.
    """

    triangles: int
    color: float
    hausdorff_percent: float
    normal_degrees: float


@dataclass(frozen=True, slots=True)
class _Mesh:
    positions: NDArray[np.float64]
    normals: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    faces: NDArray[np.int64]

    def at(
        self, values: NDArray[np.float64], face: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Interpolate a vertex attribute."""
        return np.einsum("nck,nc->nk", values[self.faces[face]], weights)


class Reference:
    """The full model, sampled once.

    Args:
        path: A GLB of one primitive with one base colour texture.
        samples: Points on each of the two surfaces.
    """

    def __init__(self, path: Path, *, samples: int) -> None:
        document = GlbDocument.parse(path.read_bytes())
        self._samples = samples
        self._mesh = mesh = _read(document)
        picture = Image.open(io.BytesIO(document.images[0].data)).convert("RGB")
        self._picture = np.asarray(picture, dtype=np.float64)
        self._nearest = NearestOnSurface(mesh.positions, mesh.faces)
        self._diagonal = float(np.linalg.norm(np.ptp(mesh.positions, axis=0)))
        face, weights = sample_surface(mesh.positions, mesh.faces, count=samples)
        self._points = mesh.at(mesh.positions, face, weights)
        self._colors = self._look(mesh.at(mesh.coordinates, face, weights))
        self._normals = _unit(mesh.at(mesh.normals, face, weights))

    @property
    def triangles(self) -> int:
        """How many the full model has."""
        return len(self._mesh.faces)

    def measure(self, path: Path) -> Quality:
        """Compare a simplified model, which shows the same texture."""
        mesh = _read(GlbDocument.parse(path.read_bytes()))
        face, weights = sample_surface(mesh.positions, mesh.faces, count=self._samples, seed=1)
        there = self._nearest.find(mesh.at(mesh.positions, face, weights))
        seen = self._look(mesh.at(mesh.coordinates, face, weights))
        full = self._mesh
        expected = self._look(full.at(full.coordinates, there.face, there.weights))
        # The coarse mesh has long triangles: more candidates, so that none is overlooked.
        back = NearestOnSurface(mesh.positions, mesh.faces, candidates=24).find(self._points)
        returned = self._look(mesh.at(mesh.coordinates, back.face, back.weights))
        normals = _unit(mesh.at(mesh.normals, back.face, back.weights))
        cosine = (normals * self._normals).sum(axis=1).clip(-1, 1)
        farthest = max(there.distance.max(), back.distance.max())
        color = (np.abs(seen - expected).mean() + np.abs(returned - self._colors).mean()) / 2
        return Quality(
            triangles=len(mesh.faces),
            color=float(color),
            hausdorff_percent=float(farthest) / self._diagonal * 100,
            normal_degrees=float(np.degrees(np.arccos(cosine)).mean()),
        )

    def _look(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sample the texture between its texels."""
        height, width, _ = self._picture.shape
        column = (coordinates[:, 0] * width - 0.5).clip(0, width - 1.001)
        row = (coordinates[:, 1] * height - 0.5).clip(0, height - 1.001)
        left, top = column.astype(int), row.astype(int)
        x, y = (column - left)[:, None], (row - top)[:, None]
        above = self._picture[top, left] * (1 - x) + self._picture[top, left + 1] * x
        below = self._picture[top + 1, left] * (1 - x) + self._picture[top + 1, left + 1] * x
        return above * (1 - y) + below * y


def _read(document: GlbDocument) -> _Mesh:
    (primitive,) = document.json["meshes"][0]["primitives"]
    attributes = primitive["attributes"]
    return _Mesh(
        numbers(document, attributes["POSITION"]),
        numbers(document, attributes["NORMAL"]),
        numbers(document, attributes["TEXCOORD_0"]),
        integers(document, primitive["indices"]).reshape(-1, 3),
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-20)
