"""Every pixel of a surface is hit once, where and as it should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asset_processing.rasterizer import TooManyPixels, rasterize


def _counts(corners: np.ndarray, width: int, height: int) -> np.ndarray:
    found = np.zeros(width * height, dtype=int)
    for hits in rasterize(corners, width=width, height=height):
        np.add.at(found, hits.pixels, 1)
    return found.reshape(height, width)


def _grid(side: int, scale: float) -> np.ndarray:
    """A square of ``2 * side**2`` triangles that share all their edges."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    low = np.stack([x, y], axis=2).reshape(-1, 2).astype(float)
    a, b, c, d = (low + offset for offset in ([0, 0], [1, 0], [1, 1], [0, 1]))
    return scale * np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3.25, 8])
def test_shared_edges_leave_no_gap_and_no_pixel_twice(scale: float) -> None:
    """Centres lie exactly on edges and corners here."""
    side = int(8 * scale)
    assert (_counts(_grid(8, scale), side, side) == 1).all()
    mixed = _grid(8, scale)
    mixed[::3] = mixed[::3, ::-1]  # Windings do not matter.
    assert (_counts(mixed, side, side) == 1).all()


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-320, 640)] * 6), min_size=1, max_size=5))
def test_weights_are_barycentric_and_only_centres_inside_are_hit(
    triangles: list[tuple[int, ...]],
) -> None:
    corners = np.array(triangles).reshape(-1, 3, 2) / 16
    for hits in rasterize(corners, width=24, height=16):
        assert (hits.weights >= 0).all()
        assert hits.weights.sum(axis=1) == pytest.approx(1)
        back = (hits.weights[:, :, None] * corners[hits.triangles]).sum(axis=1)
        centre = np.stack([hits.pixels % 24 + 0.5, hits.pixels // 24 + 0.5], axis=1)
        assert np.abs(back - centre).max(initial=0) < 1e-6


def test_what_lies_outside_or_has_no_area_covers_nothing() -> None:
    outside = np.array([[[-9, -9], [-1, -9], [-9, -1]], [[20, 1], [30, 1], [20, 9]]], dtype=float)
    flat = np.array([[[1, 1], [5, 5], [3, 3]]], dtype=float)
    assert not _counts(np.concatenate([outside, flat]), 10, 10).any()


def test_a_triangle_larger_than_the_grid_covers_all_of_it() -> None:
    huge = np.array([[[-1e6, -1e6], [1e6, -1e6], [0, 1e6]]])
    assert (_counts(huge, 7, 5) == 1).all()


def test_many_large_triangles_are_refused_before_any_work() -> None:
    large = np.tile([[[0.0, 0], [100, 0], [0, 100]]], (1000, 1, 1))
    with pytest.raises(TooManyPixels):
        next(rasterize(large, width=100, height=100, max_tried=9_999_999))
