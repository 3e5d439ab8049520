"""The farthest of some points from a surface, against every triangle looked at."""

from __future__ import annotations

import numpy as np
import pytest

from asset_processing.nearest import NearestOnSurface
from asset_processing.simplifier import farthest


@pytest.mark.parametrize(("faces", "count"), [(1, 5), (2, 7), (5, 50), (200, 300), (3000, 400)])
def test_the_distance_is_that_of_the_nearest_of_all_triangles(faces: int, count: int) -> None:
    """Thin and long triangles anywhere, far from the origin; a float32 of the extent is 1e-7."""
    random = np.random.default_rng(faces)
    positions = random.random((2 * faces + 3, 3)) * 7 + 100
    triangles = random.integers(0, len(positions), (faces, 3))
    points = random.random((count, 3)) * 9 + 99
    every = NearestOnSurface(positions, triangles, candidates=faces).find(points).distance
    found = farthest(points, positions=positions, triangles=triangles)
    assert found == pytest.approx(every.max(), abs=1e-5)


def test_points_of_the_surface_are_no_distance_away() -> None:
    random = np.random.default_rng(0)
    positions, triangles = random.random((300, 3)), random.integers(0, 300, (500, 3))
    middles = positions[triangles].mean(axis=1)
    assert farthest(middles, positions=positions, triangles=triangles) < 1e-6


def test_a_surface_without_an_area_is_its_edges() -> None:
    positions = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    found = farthest(
        np.array([[1.5, 3.0, 4.0]]), positions=positions, triangles=np.array([[0, 1, 2]])
    )
    assert found == pytest.approx(5.0)


def test_all_triangles_in_one_place_are_survived() -> None:
    positions = np.zeros((3, 3))
    triangles = np.tile([0, 1, 2], (10_000, 1))
    assert farthest(np.array([[0.0, 0, 2]]), positions=positions, triangles=triangles) == 2.0


@pytest.mark.parametrize("triangles", [np.empty((0, 3), int), [[0, 1, 3]], [[0, -1, 2]]])
def test_a_surface_that_is_none_is_refused(triangles: np.ndarray) -> None:
    with pytest.raises(ValueError, match="triangle"):
        farthest(np.zeros((1, 3)), positions=np.zeros((3, 3)), triangles=np.array(triangles))
