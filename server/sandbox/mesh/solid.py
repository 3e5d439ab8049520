"""Glue a front and a back sheet along the outline into one closed surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Indices, Points
    from server.sandbox.mesh.lattice import FlatMesh

__all__ = ["Sheets", "Solid", "close_sheets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """The heights of both sheets over a flat region.

    Attributes:
        height: (n,) common height in pixels, zero on the rim and round at it.
        front: What the front multiplies it by.
        back: What the back multiplies it by.
        relief: (n,) added to the front, in pixels; zero on the rim.
    """

    height: Field
    front: float
    back: float
    relief: Field


@dataclass(frozen=True, slots=True)
class Solid:
    """A closed surface whose front and back have vertices of their own along the rim.

    Attributes:
        positions: (n, 3): x right, y up, z towards the viewer. The rim is there twice, since the
            two halves of the atlas meet along it.
        normals: (n, 3) unit vectors; equal for both copies of a rim vertex.
        triangles: (m, 3), counter-clockwise seen from outside.
        flat: (n, 2) where on the picture each vertex lies, in pixels.
        front: Number of front vertices; they come first.
        rim: Number of vertices along the rim, counted once.
    """

    positions: Points
    normals: Points
    triangles: Indices
    flat: Points
    front: int
    rim: int

    @property
    def unique_vertices(self) -> int:
        """Count of vertices that differ in position."""
        return len(self.positions) - self.rim


def close_sheets(mesh: FlatMesh, sheets: Sheets, *, size: float) -> Solid:
    """Raise the region to both sides, centre it and scale its longest side to `size`."""
    n = len(mesh.points)
    x, y = mesh.points[:, 0], -mesh.points[:, 1]
    front = sheets.front * sheets.height + sheets.relief
    back = sheets.back * sheets.height
    positions = np.concatenate([np.stack([x, y, front], axis=1), np.stack([x, y, -back], axis=1)])
    low, high = positions.min(axis=0), positions.max(axis=0)
    # Flipping y turned the lattice's winding over, so the front is read backwards.
    triangles = np.concatenate([mesh.triangles[:, ::-1], mesh.triangles + n])
    return Solid(
        positions=(positions - (low + high) / 2) * (size / (high - low).max()),
        normals=_normals(mesh, sheets),
        triangles=triangles,
        flat=np.concatenate([mesh.points, mesh.points]),
        front=n,
        rim=int(mesh.rim.sum()),
    )


def _normals(mesh: FlatMesh, sheets: Sheets) -> Points:
    """Normals of the curved surface that the triangles stand for.

    A sheet at `z = d * sqrt(u) + r` is where `(z - r)**2 - d**2 * u` is zero, and the gradient of
    that is smooth even on the rim, where the sheet is vertical. Averaging face normals instead
    shows every small step of the outline as a ripple down the side.
    """
    slope_u = _slopes(mesh, sheets.height**2)
    slope_r = _slopes(mesh, sheets.relief)
    height = sheets.height[:, None]
    front = sheets.front**2 * slope_u + 2 * sheets.front * height * slope_r
    back = sheets.back**2 * slope_u
    # x as on the picture, y upwards.
    outwards = np.concatenate(
        [
            np.hstack([-front * [1, -1], 2 * sheets.front * height]),
            np.hstack([-back * [1, -1], -2 * sheets.back * height]),
        ]
    )
    rim = np.flatnonzero(mesh.rim)
    outwards[rim + len(mesh.points)] = outwards[rim]
    length = np.linalg.norm(outwards, axis=1, keepdims=True)
    normals: Points = np.where(length > 0, outwards / np.where(length > 0, length, 1), [0, 0, 1])
    return normals


def _slopes(mesh: FlatMesh, values: Field) -> Points:
    """(n, 2) derivatives at the vertices: the triangles' own, averaged by area."""
    tri = mesh.triangles
    a, b, c = (mesh.points[tri[:, k]] for k in range(3))
    u, v = b - a, c - a
    along_u, along_v = values[tri[:, 1]] - values[tri[:, 0]], values[tri[:, 2]] - values[tri[:, 0]]
    twice_area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    parts = (
        along_u * v[:, 1] - along_v * u[:, 1],  # d/dx, times twice the area.
        along_v * u[:, 0] - along_u * v[:, 0],  # d/dy, likewise.
        twice_area,
    )
    x, y, weight = (
        np.bincount(tri.ravel(), weights=np.repeat(part, 3), minlength=len(mesh.points))
        for part in parts
    )
    return np.stack([x, y], axis=1) / weight[:, None]
