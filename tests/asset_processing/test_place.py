"""Scale and pivot at once: what one after the other gives, but for rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import InvalidOption, Pivot
from asset_processing.document import GlbDocument
from asset_processing.geometry import bounds_of
from asset_processing.operations.pivot import set_pivot
from asset_processing.operations.place import place
from asset_processing.operations.scale import scale

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb

_TURNED = {"rotation": [0.6, 0, 0, 0.8], "scale": [2, 3, 4], "translation": [5, 6, 7]}


def _placed(source: bytes, factor: float, pivot: Pivot) -> tuple[GlbDocument, str | None]:
    document = GlbDocument.parse(source)
    reason = place(document, factor=factor, pivot=pivot)
    return GlbDocument.parse(document.to_bytes()), reason


def _one_by_one(source: bytes, factor: float, pivot: Pivot) -> tuple[GlbDocument, str | None]:
    document = GlbDocument.parse(source)
    scaled = scale(document, factor=factor)
    moved = set_pivot(document, pivot=pivot)
    return GlbDocument.parse(document.to_bytes()), scaled or moved


def test_positions_are_rounded_once(glb: type[Glb]) -> None:
    points = np.random.default_rng(1).normal(size=(300, 3)).astype(np.float32)
    built = glb.builder()
    built.scene(built.add("nodes", mesh=built.mesh(points, np.arange(300))))
    document, reason = _placed(built.to_bytes(), 1.7, Pivot.CENTER)
    exact = points.astype(np.float64)
    middle = (exact.min(axis=0) + exact.max(axis=0)) / 2
    expected = (exact * 1.7 - middle * 1.7).astype(np.float32)
    assert reason is None
    assert (glb.positions(document.to_bytes()) == expected).all()


def test_every_sample_comes_to_lie_as_one_by_one(sample: Path) -> None:
    source = sample.read_bytes()
    for pivot in Pivot:
        found, reason = _placed(source, 2.5, pivot)
        expected, same_reason = _one_by_one(source, 2.5, pivot)
        assert reason == same_reason
        size = max(bounds_of(expected).size)
        assert bounds_of(found).min == pytest.approx(bounds_of(expected).min, abs=1e-6 * size)
        assert bounds_of(found).max == pytest.approx(bounds_of(expected).max, abs=1e-6 * size)


def test_below_turned_nodes_and_for_shifted_copies_too(glb: type[Glb]) -> None:
    turned = glb.box(**_TURNED)
    copies = glb.box((0, 0, 0), (1, 1, 1))
    copies.scene(0, copies.add("nodes", mesh=0, translation=[9, 0, 0]))
    copies.json["scenes"].pop(0)
    for built in (turned, copies):
        found, reason = _placed(built.to_bytes(), 3.0, Pivot.BASE)
        expected, _ = _one_by_one(built.to_bytes(), 3.0, Pivot.BASE)
        assert reason is None
        assert bounds_of(found).min == pytest.approx(bounds_of(expected).min, abs=1e-4)
        assert bounds_of(found).size == pytest.approx(bounds_of(expected).size)
        assert found.json["nodes"] == expected.json["nodes"]


def test_a_mesh_that_is_not_drawn_is_scaled_and_stays(glb: type[Glb]) -> None:
    built = glb.box((1, 1, 1), (2, 2, 2))
    points = np.array([[5, 5, 5], [6, 5, 5], [5, 6, 5]])
    built.mesh(points, [0, 1, 2])
    document, _ = _placed(built.to_bytes(), 2.0, Pivot.CENTER)
    index = document.json["meshes"][1]["primitives"][0]["attributes"]["POSITION"]
    assert (glb.positions(document.to_bytes(), index) == points * 2).all()


def test_a_place_beyond_float32_is_refused_by_name(glb: type[Glb]) -> None:
    source = glb.box((1, 2, 3), (2, 4, 6)).to_bytes()
    for factor in (3e38, 1e308):
        with pytest.raises(InvalidOption, match="float32") as caught:
            _placed(source, factor, Pivot.BASE)
        assert "scale_factor" in caught.value.field


def test_what_only_the_way_there_would_leave_float32_is_placed(glb: type[Glb]) -> None:
    """Scaled alone, it would reach 6e38."""
    document, _ = _placed(glb.box((1, 2, 3), (2, 4, 6)).to_bytes(), 1e38, Pivot.BASE)
    assert bounds_of(document).size == pytest.approx((1e38, 2e38, 3e38))
