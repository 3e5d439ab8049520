"""Fewer pixels keep what the pixels meant: light, coverage, directions, values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_processing.operations import resize as resizing
from asset_processing.operations.resize import (
    Filtering,
    fitted_size,
    resize,
    to_light,
    to_srgb,
)


def _checker(first: list[int], second: list[int], side: int = 16) -> np.ndarray:
    where = np.indices((side, side)).sum(axis=0) % 2 == 0
    return np.where(where[..., None], first, second).astype(np.uint8)


def test_light_and_srgb_are_each_others_inverse() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.abs(to_srgb(to_light(values)) - values).max() < 1e-3
    assert to_light(values)[[0, 255]].tolist() == [0, 1]
    assert to_light(values)[188] == pytest.approx(0.5029, abs=1e-4)


def test_colours_are_averaged_as_light_and_data_as_numbers() -> None:
    checker = _checker([0, 0, 0], [255, 255, 255])
    inner = (slice(2, -2), slice(2, -2))
    color = resize(checker, width=8, height=8, filtering=Filtering.COLOR)[inner]
    assert np.abs(color.astype(int) - 188).max() <= 1  # Half the light.
    data = resize(checker, width=8, height=8, filtering=Filtering.DATA)
    assert set(data.flat) <= {127, 128}


def test_a_constant_picture_stays_what_it_is_in_every_way() -> None:
    pixels = np.full((9, 7, 4), (10, 100, 250, 60), dtype=np.uint8)
    for filtering in set(Filtering) - {Filtering.NORMAL}:
        small = resize(pixels, width=3, height=4, filtering=filtering)
        assert small.shape == (4, 3, 4)
        assert (small == pixels[0, 0]).all()


def test_invisible_colours_do_not_bleed_where_alpha_counts() -> None:
    pixels = _checker([200, 40, 20, 255], [0, 255, 0, 0])
    covered = resize(pixels, width=8, height=8, filtering=Filtering.COVERED_COLOR)
    assert np.abs(covered.astype(int) - [200, 40, 20, 128]).max() <= 1
    opaque = resize(pixels, width=8, height=8, filtering=Filtering.COLOR)
    assert (opaque[..., 1] > 150).all()  # There the green is seen.


def test_colours_under_full_transparency_stay() -> None:
    pixels = np.full((8, 8, 4), (200, 40, 20, 0), dtype=np.uint8)
    small = resize(pixels, width=2, height=2, filtering=Filtering.COVERED_COLOR)
    assert np.abs(small.astype(int) - [200, 40, 20, 0]).max() <= 1


def test_normals_come_out_with_unit_length() -> None:
    tilted = _checker([255, 128, 128], [128, 255, 128])  # +X and +Y.
    small = resize(tilted, width=8, height=8, filtering=Filtering.NORMAL)
    vectors = small.astype(float) / 127.5 - 1
    assert np.abs(np.linalg.norm(vectors, axis=2) - 1).max() < 0.01
    assert np.abs(vectors[..., 0] - vectors[..., 1]).max() < 0.01
    plain = resize(tilted, width=8, height=8, filtering=Filtering.DATA)
    assert np.linalg.norm(plain[0, 0] / 127.5 - 1) < 0.75  # What a plain average makes of them.


def test_opposite_normals_become_the_surfaces_own() -> None:
    pixels = _checker([255, 128, 128], [0, 127, 127])
    small = resize(pixels, width=8, height=8, filtering=Filtering.NORMAL)
    assert (small[..., 2] >= 127).all()
    assert np.isfinite(small).all()


def test_data_never_leaves_the_range_of_its_neighbours() -> None:
    edge = np.zeros((16, 16, 3), dtype=np.uint8)
    edge[:, 7:] = 100
    small = resize(edge, width=5, height=5, filtering=Filtering.DATA)
    assert small.max() == 100
    assert small.min() == 0


@pytest.mark.parametrize("filtering", list(Filtering))
def test_strips_leave_no_seams(filtering: Filtering, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (211, 97, 4), dtype=np.uint8)
    whole = resize(pixels, width=31, height=67, filtering=filtering)
    monkeypatch.setattr(resizing, "_STRIP", 97 * 20)
    strips = resize(pixels, width=31, height=67, filtering=filtering)
    assert np.abs(strips.astype(int) - whole).max() <= 1
    assert (strips != whole).mean() < 1e-3  # The last bit of a float, rounded.


@given(width=st.integers(1, 10_000), height=st.integers(1, 10_000), longest=st.integers(1, 10_000))
def test_a_fitted_size_fits_and_keeps_the_proportion(width: int, height: int, longest: int) -> None:
    fitted = fitted_size(width, height, longest=longest)
    assert max(fitted) == min(longest, max(width, height))
    assert min(fitted) >= 1
    scale = max(fitted) / max(width, height)
    assert abs(min(fitted) - max(1, min(width, height) * scale)) <= 0.5
