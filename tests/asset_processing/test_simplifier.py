"""The simplifier on arrays: budgets, seams, topology, and inputs that mean harm."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from asset_processing.nearest import NearestOnSurface
from asset_processing.simplifier import Attribute, Simplifier, Yielding


def _bumpy_ball() -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(subdivisions=4)
    bumps = 1 + 0.1 * np.sin(5 * ball.vertices[:, :1]) * np.sin(6 * ball.vertices[:, 1:2])
    return ball.vertices * bumps, np.array(ball.faces)


def _unrolled_tube(around: int = 48, along: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tube cut open along one line: positions meet there, texture coordinates do not."""
    u, v = np.meshgrid(np.linspace(0, 1, around + 1), np.linspace(0, 1, along + 1), indexing="ij")
    angle = 2 * np.pi * np.where(u == 1, 0, u)
    wave = 1 + 0.2 * np.sin(7 * v)
    points = np.stack([wave * np.cos(angle), 3 * v, wave * np.sin(angle)], axis=-1).reshape(-1, 3)
    corner = (np.arange(around)[:, None] * (along + 1) + np.arange(along)).ravel()
    quad = np.stack([corner, corner + 1, corner + along + 2, corner + along + 1], axis=1)
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    return points, np.stack([u.ravel(), v.ravel()], axis=1), faces


@pytest.mark.parametrize("budget", [4000, 2500, 1001, 500, 64, 4])
def test_a_closed_ball_stays_closed_and_meets_any_budget(budget: int) -> None:
    """A collapse inside a closed surface takes two triangles, so the count may be one below."""
    points, faces = _bumpy_ball()
    simplifier = Simplifier(points, faces)
    left = simplifier.reduce(max_triangles=budget, yielding=Yielding.STRICT)
    result = simplifier.result()
    assert left == len(result.triangles)
    assert budget - 1 <= left <= budget
    mesh = trimesh.Trimesh(result.positions, result.triangles, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    assert mesh.volume > 0


def test_a_vertex_budget_is_met_exactly() -> None:
    points, faces = _bumpy_ball()
    simplifier = Simplifier(points, faces)
    simplifier.reduce(max_vertices=777)
    assert simplifier.vertex_count == len(simplifier.result().positions) == 777


def test_a_flat_grid_loses_nothing_but_triangles() -> None:
    """Every collapse inside a plane is free, and the border's straight lines keep its corners."""
    grid = np.stack(np.meshgrid(np.arange(33.0), np.arange(33.0)), axis=-1).reshape(-1, 2)
    points = np.column_stack([grid, np.zeros(len(grid))])
    corner = (np.arange(32)[:, None] * 33 + np.arange(32)).ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + 34], axis=1),
            np.stack([corner, corner + 34, corner + 33], axis=1),
        ]
    )
    simplifier = Simplifier(points, triangles)
    simplifier.reduce(max_triangles=2)
    result = simplifier.result()
    mesh = trimesh.Trimesh(result.positions, result.triangles, process=False)
    assert len(result.triangles) == 2
    assert mesh.area == pytest.approx(32 * 32)
    assert mesh.bounds == pytest.approx(np.array([[0, 0, 0], [32, 32, 0]]))


def test_a_seam_stays_where_it_is_and_closed() -> None:
    """Along the cut each place keeps both sides, at u = 0 and u = 1, and no other place has two."""
    points, coordinates, faces = _unrolled_tube()
    simplifier = Simplifier(points, faces, [Attribute(coordinates, 60.0)], uv=0)
    simplifier.reduce(max_triangles=800, yielding=Yielding.STRICT)
    result = simplifier.result()
    assert len(result.triangles) in {799, 800}  # The last collapse may take two.
    u = result.attributes[0][:, 0]
    _, place, sides = np.unique(
        result.positions.astype(np.float32), axis=0, return_inverse=True, return_counts=True
    )
    on_seam = sides[place.ravel()] == 2
    assert sides.max() == 2
    assert on_seam.any()
    assert np.minimum(u, 1 - u)[on_seam] == pytest.approx(0, abs=1e-5)
    # No triangle spans the texture, as it would where the seam was torn.
    assert np.ptp(u[result.triangles], axis=1).max() < 0.5


def test_texture_coordinates_fit_the_surface_they_came_from() -> None:
    points, coordinates, faces = _unrolled_tube()
    simplifier = Simplifier(points, faces, [Attribute(coordinates, 60.0)], uv=0)
    simplifier.reduce(max_triangles=1000)
    result = simplifier.result()
    found = NearestOnSurface(points, faces).find(result.positions)
    there = np.einsum("nc,ncd->nd", found.weights, coordinates[faces[found.face]])
    off = np.abs(there - result.attributes[0])
    off[:, 0] = np.minimum(off[:, 0], 1 - off[:, 0])  # The nearest point may be across the seam.
    assert off.max() < 0.01


def test_vertices_that_may_not_move_are_those_that_were_given() -> None:
    points, faces = _bumpy_ball()
    number = np.arange(len(points), dtype=float)[:, None]
    simplifier = Simplifier(points, faces, [Attribute(number, 1e-6)])
    simplifier.reduce(max_triangles=500, moving=False)
    result = simplifier.result()
    assert result.positions == pytest.approx(points[result.source], abs=1e-6)
    assert result.attributes[0][:, 0] == pytest.approx(number[result.source, 0], rel=1e-5)
    assert (np.diff(result.source) > 0).all()


def test_pinned_places_stay() -> None:
    points, faces = _bumpy_ball()
    pinned = np.concatenate([points.argmin(axis=0), points.argmax(axis=0)])
    simplifier = Simplifier(points, faces, pinned=pinned)
    simplifier.reduce(max_triangles=100)
    result = simplifier.result()
    assert set(pinned) <= set(result.source)
    kept = np.isin(result.source, pinned)
    assert result.positions[kept] == pytest.approx(points[result.source[kept]], abs=1e-6)


def test_a_fragmented_atlas_does_not_stop_it() -> None:
    """Every triangle is a chart of its own, so that no collapse keeps all of them."""
    points, faces = _bumpy_ball()
    split = points[faces].reshape(-1, 3)
    own = np.arange(len(split)).reshape(-1, 3)
    coordinates = np.random.default_rng(1).random((len(split), 2))
    simplifier = Simplifier(split, own, [Attribute(coordinates, 1.0)], uv=0)
    assert simplifier.reduce(max_triangles=300) <= 300
    assert simplifier.triangle_count > 250


def test_separate_parts_go_last_and_the_largest_stays() -> None:
    balls = [
        trimesh.creation.icosphere(subdivisions=1, radius=radius).apply_translation([x, 0, 0])
        for x, radius in ((0, 0.1), (2, 0.5), (5, 1.0))
    ]
    mesh = trimesh.util.concatenate(balls)
    simplifier = Simplifier(mesh.vertices, np.array(mesh.faces))
    assert simplifier.reduce(max_triangles=4) == 4
    assert simplifier.result().positions[:, 0].min() > 3


@pytest.mark.parametrize("seed", range(40))
def test_any_triangles_are_survived(seed: int) -> None:
    """Soups with shared, repeated, collapsed and non-manifold triangles, in few places."""
    random = np.random.default_rng(seed)
    places = int(random.integers(1, 30))
    points = random.integers(0, 4, (places, 3)).astype(float) * 10.0 ** random.integers(-6, 6)
    faces = random.integers(0, places, (int(random.integers(1, 200)), 3))
    coordinates = random.integers(0, 3, (places, 2)).astype(float)
    simplifier = Simplifier(points, faces, [Attribute(coordinates, 10.0)], uv=0)
    before = simplifier.triangle_count
    left = simplifier.reduce(max_triangles=1)
    result = simplifier.result()
    assert left == len(result.triangles) <= before
    assert (left > 0) == (before > 0)
    assert np.isfinite(result.positions).all()
    assert np.isfinite(result.attributes[0]).all()
    assert not len(result.triangles) or result.triangles.max() < len(result.positions)


def test_a_fan_of_one_hundred_thousand_triangles_takes_no_quadratic_time() -> None:
    """The test's timeout is the limit; looking at every pair would take an hour."""
    count = 100_000
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rim = np.stack([np.cos(angle), np.sin(angle), 0.01 * np.sin(40 * angle)], axis=1)
    points = np.concatenate([[[0, 0, 1]], rim])
    ring = np.arange(1, count + 1)
    faces = np.stack([np.zeros(count, int), ring, np.roll(ring, -1)], axis=1)
    simplifier = Simplifier(points, faces)
    assert simplifier.reduce(max_triangles=1000) <= 1000


def test_the_same_input_gives_the_same_mesh() -> None:
    points, faces = _bumpy_ball()
    results = []
    for _ in range(2):
        simplifier = Simplifier(points, faces)
        simplifier.reduce(max_triangles=333)
        results.append(simplifier.result())
    assert np.array_equal(results[0].positions, results[1].positions)
    assert np.array_equal(results[0].triangles, results[1].triangles)


def test_steps_lead_on_from_one_another() -> None:
    points, faces = _bumpy_ball()
    simplifier = Simplifier(points, faces)
    for budget in (3000, 1500, 700):
        assert simplifier.reduce(max_triangles=budget) == simplifier.triangle_count <= budget


def test_an_index_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        Simplifier(np.zeros((3, 3)), np.array([[0, 1, 3]]))
