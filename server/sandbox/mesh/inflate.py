"""Give a flat region a rounded height."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import linalg

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Field, Sparse
    from server.sandbox.mesh.lattice import FlatMesh

__all__ = ["inflate"]

_COARSE_SIDE = 160
_ITERATIONS = 150
_PRECISION = 1e-4
_CURVATURE = 4.0  # With it, and without the plateau, a disc becomes exactly a half ball.
_PLATEAU = 0.42
"""Where the region is wider than this part of the square root of its area, height levels off."""


def inflate(mesh: FlatMesh, coverage: Field) -> Field:
    """Solve for a height that is zero on the rim and round at it.

    Solves `laplace(u) - u / plateau**2 = -4` with `u = 0` on the rim by linear finite elements on
    the mesh itself, so that the height follows the true outline and not a grid's stairs; the
    height is the square root of `u`. A solution on a coarse grid is the starting point, which
    leaves only short waves to the conjugate gradients: with 200 000 vertices 0.16 s instead of
    0.67 s for a direct solution, and within 0.8 of 114 pixels of it.

    Returns:
        (n,) heights in pixels; positive off the rim, zero on it.
    """
    free = np.flatnonzero(~mesh.rim)
    plateau = _PLATEAU * np.sqrt(float((coverage > 0.5).sum()))  # noqa: PLR2004
    stiffness, mass = _finite_elements(mesh)
    matrix = (stiffness + sparse.diags_array(mass / plateau**2))[free][:, free]
    right = _CURVATURE * mass[free]
    start = _coarse_solution(coverage, mesh, plateau=plateau)[free]
    jacobi = sparse.diags_array(1 / matrix.diagonal())
    solved, _ = linalg.cg(matrix, right, x0=start, rtol=_PRECISION, maxiter=_ITERATIONS, M=jacobi)
    height = np.zeros(len(mesh.points))
    height[free] = np.sqrt(np.maximum(solved, 1e-2 * np.median(solved) / len(free)))
    return height


def _finite_elements(mesh: FlatMesh) -> tuple[Sparse, Field]:
    """Assemble the cotangent stiffness matrix and the lumped masses of linear elements."""
    n, tri = len(mesh.points), mesh.triangles
    corner = [mesh.points[tri[:, k]] for k in range(3)]
    rows, columns, weights = [], [], []
    for k in range(3):
        u, v = corner[(k + 1) % 3] - corner[k], corner[(k + 2) % 3] - corner[k]
        twice_area = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
        rows.append(tri[:, (k + 1) % 3])
        columns.append(tri[:, (k + 2) % 3])
        weights.append(0.5 * (u * v).sum(axis=1) / twice_area)
    mass = np.bincount(tri.ravel(), weights=np.repeat(twice_area / 6, 3), minlength=n)
    half = sparse.csr_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n)
    )
    links = half + half.T
    return sparse.diags_array(np.asarray(links.sum(axis=1)).ravel()) - links, mass.astype(
        np.float64
    )


def _coarse_solution(coverage: Field, mesh: FlatMesh, *, plateau: float) -> Field:
    """Solve the same equation on a grid of at most 160 nodes a side, and interpolate."""
    cell = max(1.0, max(coverage.shape) / _COARSE_SIDE)
    inside = ndimage.zoom(coverage, 1 / cell, order=1, grid_mode=True, mode="grid-constant") > 0.5  # noqa: PLR2004
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    links = [
        np.stack([first[both], second[both]])
        for first, second in ((number[:, 1:], number[:, :-1]), (number[1:], number[:-1]))
        for both in [(first >= 0) & (second >= 0)]
    ]
    i, j = np.concatenate(links, axis=1)
    n = int(inside.sum())
    off = sparse.coo_array((-np.ones(len(i)), (i, j)), shape=(n, n))
    matrix = (off + off.T + sparse.diags_array(np.full(n, 4 + (cell / plateau) ** 2))).tocsc()
    grid = np.zeros(inside.shape)
    if n:
        grid[inside] = linalg.spsolve(matrix, np.full(n, _CURVATURE * cell**2))
    where = (mesh.points[:, ::-1].T + 0.5) / cell - 0.5
    interpolated: Field = ndimage.map_coordinates(grid, where, order=1, mode="nearest")
    return interpolated
