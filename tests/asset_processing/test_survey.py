"""The survey beside the same counted in other ways: by numpy, and by the rasterizer of pictures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from asset_processing.rasterizer import rasterize
from asset_processing.survey import GRID, Survey, TooManyPixels, weld


def _soup(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles at random on few places: every fault there is, many times over."""
    random = np.random.default_rng(seed)
    points = random.integers(-2, 3, (300, 3)).astype(np.float64)
    return points, random.integers(0, len(points), (400, 3))


@pytest.mark.parametrize("seed", range(5))
def test_connections_are_those_that_python_counts_one_by_one(seed: int) -> None:
    points, triangles = _soup(seed)
    survey = Survey(points, triangles)
    keys = [tuple(point) for point in points]
    assert survey.weld() == len(set(keys))
    found = survey.connections()
    faces = [[keys[vertex] for vertex in triangle] for triangle in triangles]
    sound = [face for face in faces if len(set(face)) == 3]
    edges = Counter(frozenset(pair) for f in sound for pair in zip(f, f[1:] + f[:1], strict=True))
    ways = Counter(pair for f in sound for pair in zip(f, f[1:] + f[:1], strict=True))
    assert found.edges_of_one == sum(count == 1 for count in edges.values())
    assert found.edges_of_two == sum(count == 2 for count in edges.values())
    assert found.edges_of_more == sum(count > 2 for count in edges.values())
    assert found.edges_unlike == sum(
        edges[frozenset(way)] == count == 2 for way, count in ways.items()
    )
    assert found.duplicate_faces == len(sound) - len({frozenset(face) for face in sound})
    assert found.components == _parts(sound)
    corners = np.array(faces)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    assert found.degenerate_faces == np.count_nonzero(lengths == 0)
    assert found.area == pytest.approx(lengths.sum() / 2)
    assert found.volume == pytest.approx(np.einsum("ij,ij->", corners[:, 0], normals) / 6)


def _parts(faces: list[list[tuple[float, ...]]]) -> int:
    parts: list[set[tuple[float, ...]]] = []
    for face in faces:
        touched = [part for part in parts if part & set(face)]
        parts = [part for part in parts if not part & set(face)]
        parts.append(set(face).union(*touched))
    return len(parts)


def test_a_place_with_very_many_triangles_takes_no_longer_than_others() -> None:
    """A fan of 300,000 around one edge: compared each with each it would take minutes."""
    count = 300_000
    points = np.zeros((count + 2, 3))
    points[2:, 0] = np.arange(count)
    points[1, 1] = 1
    points[2:, 2] = 1
    triangles = np.stack([np.zeros(count), np.ones(count), np.arange(2, count + 2)], axis=1)
    survey = Survey(points, triangles.astype(np.int64))
    survey.weld()
    found = survey.connections()
    assert (found.edges_of_more, found.edges_of_one) == (1, 2 * count)
    assert (found.duplicate_faces, found.components) == (0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_samples_are_covered_as_the_rasterizer_covers_pixels(seed: int) -> None:
    """The same rule in numpy; corners on sample centres and shared edges included."""
    random = np.random.default_rng(seed)
    coordinates = random.integers(0, 2 * GRID + 1, (600, 2)) / (2 * GRID)
    triangles = random.integers(0, len(coordinates), (40, 3))
    survey = Survey(np.zeros((len(coordinates), 3)), triangles)
    survey.place_on_texture(coordinates)
    grid, _ = survey.covered([(0, 25, 1), (25, 40, 3)])
    expected = np.zeros(GRID * GRID, np.int64)
    for run, times in ((triangles[:25], 1), (triangles[25:], 3)):
        for hits in rasterize(coordinates[run] * GRID, width=GRID, height=GRID):
            np.add.at(expected, hits.pixels, times)
    assert expected.any()
    assert (grid == expected.reshape(GRID, GRID)).all()


def test_triangles_over_a_border_come_in_on_the_other_side() -> None:
    coordinates = np.array([[0.75, 0], [1.25, 0], [1.25, 1], [0.75, 1]]) + np.array([7, -3])
    survey = Survey(np.zeros((4, 3)), np.array([[0, 1, 2], [0, 2, 3]]))
    survey.place_on_texture(coordinates)
    expected = np.zeros((GRID, GRID))
    expected[:, : GRID // 4] = expected[:, -GRID // 4 :] = 1
    grid, reaching = survey.covered([(0, 2, 1)])
    assert (grid == expected).all()
    assert reaching == 2


def test_coordinates_beyond_all_textures_cover_what_they_cover_of_the_grid() -> None:
    coordinates = np.array([[-1e38, 0], [1e38, 0], [0, 1e38], [1e300, 0], [0, 1e300], [0, 0]])
    survey = Survey(np.zeros((6, 3)), np.array([[0, 1, 2], [3, 4, 5], [5, 5, 3]]))
    survey.place_on_texture(coordinates)
    grid, reaching = survey.covered([(0, 3, 1)])
    assert grid.max() <= 2 * 4
    assert reaching == 3


def test_more_samples_than_are_tried_are_refused() -> None:
    coordinates = np.array([[0.0, 0], [1, 0], [1, 1]])
    survey = Survey(np.zeros((3, 3)), np.tile([0, 1, 2], (200, 1)))
    survey.place_on_texture(coordinates)
    assert survey.covered([(0, 100, 1)])[0].max() == 100
    with pytest.raises(TooManyPixels):
        survey.covered([(0, 200, 1)])


def test_densities_are_noted_for_triangles_with_area() -> None:
    points = np.array([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 0, 0]])
    survey = Survey(points, np.array([[0, 1, 2], [0, 1, 3], [2, 1, 0]]))
    survey.place_on_texture(np.array([[0.0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]))
    survey.note_densities(0, 2, pixels=64 * 64)
    found, areas = survey.densities()
    assert (found.tolist(), areas.tolist()) == ([16], [2])
    survey.note_densities(2, 3, pixels=32 * 32)
    assert survey.densities()[0].tolist() == [16, 8]


def test_welding_joins_equal_places_and_keeps_close_ones_apart() -> None:
    points = np.array([[0.0, 0, 0], [-0.0, 0, 0], [1, 0, 0], [1 + 1e-6, 0, 0], [1 + 1e-12, 0, 0]])
    places, labels = weld(points)
    assert labels.tolist() == [0, 0, 1, 2, 1]
    assert places.tolist() == points[[0, 2, 3]].tolist()


def test_a_vertex_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        Survey(np.zeros((3, 3)), np.array([[0, 1, 3]]))
