"""Pivot: every vertex moves by the same vector, so the shape cannot have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import Pivot, ProcessingOptions, process
from asset_processing.document import GlbDocument
from asset_processing.geometry import bounds_of
from asset_processing.operations.pivot import set_pivot

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb

_TURNED = {"rotation": [0.6, 0, 0, 0.8], "scale": [2, 3, 4], "translation": [5, 6, 7]}


@pytest.mark.parametrize(
    ("pivot", "low", "high"),
    [
        (Pivot.CENTER, (-0.5, -1, -1.5), (0.5, 1, 1.5)),
        (Pivot.BASE, (-0.5, 0, -1.5), (0.5, 2, 1.5)),
        (Pivot.KEEP, (1, 2, 3), (2, 4, 6)),
    ],
)
def test_the_chosen_point_becomes_the_origin_and_nothing_else_changes(
    glb: type[Glb], pivot: Pivot, low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    source = glb.box((1, 2, 3), (2, 4, 6)).to_bytes()
    asset = process(source, ProcessingOptions(pivot=pivot))
    assert asset.report.bounds_after.min == pytest.approx(low, abs=1e-6)
    assert asset.report.bounds_after.max == pytest.approx(high, abs=1e-6)
    moved = glb.positions(asset.glb) - glb.positions(source)
    assert np.allclose(moved, moved[0], atol=1e-6)
    assert glb.unpack(asset.glb)[1][96:] == glb.unpack(source)[1][96:]
    assert glb.unpack(asset.glb)[0]["nodes"] == glb.unpack(source)[0]["nodes"]


def test_under_a_turned_and_stretched_node_the_world_moves_as_asked(glb: type[Glb]) -> None:
    source = glb.box(**_TURNED).to_bytes()
    asset = process(source, ProcessingOptions(pivot=Pivot.BASE))
    before, after = asset.report.bounds_before, asset.report.bounds_after
    assert after.size == pytest.approx(before.size, rel=1e-6)
    assert after.min[1] == pytest.approx(0, abs=1e-5)
    assert after.center[::2] == pytest.approx((0, 0), abs=1e-5)
    assert asset.report.passed
    assert glb.unpack(asset.glb)[0]["nodes"][0] == glb.unpack(source)[0]["nodes"][0]


def test_nodes_that_turn_one_mesh_differently_are_moved_together_by_a_node(
    glb: type[Glb],
) -> None:
    """No shift of the shared vertices would move both copies the same way."""
    built = glb.box()
    built.scene(0, built.add("nodes", mesh=0, **_TURNED))
    built.json["scenes"].pop(0)
    source = built.to_bytes()
    asset = process(source, ProcessingOptions(pivot=Pivot.CENTER))
    assert asset.report.bounds_after.center == pytest.approx((0, 0, 0), abs=1e-5)
    assert asset.report.bounds_after.size == pytest.approx(asset.report.bounds_before.size)
    assert glb.unpack(asset.glb)[1] == glb.unpack(source)[1]


def test_copies_that_are_only_shifted_are_baked(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 1, 1))
    built.scene(0, built.add("nodes", mesh=0, translation=[9, 0, 0]))
    built.json["scenes"].pop(0)
    document = GlbDocument.parse(built.to_bytes())
    assert set_pivot(document, pivot=Pivot.CENTER) is None
    assert bounds_of(document).min == pytest.approx((-5, -0.5, -0.5))


def test_a_flattened_mesh_is_moved_by_a_node(glb: type[Glb]) -> None:
    """Under a scale of 0 no shift of the vertices moves the world."""
    source = glb.box(scale=[1, 0, 1], translation=[0, 3, 0]).to_bytes()
    asset = process(source, ProcessingOptions(pivot=Pivot.BASE))
    assert asset.report.bounds_after.min[1] == 0
    assert asset.report.passed


def test_what_stands_at_its_pivot_already_is_not_touched(glb: type[Glb]) -> None:
    source = glb.box((-1, 0, -1), (1, 4, 1)).to_bytes()
    assert process(source, ProcessingOptions(pivot=Pivot.BASE)).glb == source


def test_a_second_run_changes_nothing(glb: type[Glb]) -> None:
    options = ProcessingOptions(height_m=1.7, pivot=Pivot.BASE)
    for built in (glb.box(), glb.box(**_TURNED)):
        once = process(built.to_bytes(), options).glb
        assert process(once, options).glb == once


def test_scale_and_shift_share_one_node_and_the_scale_comes_first(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("cameras", type="perspective")
    asset = process(built.to_bytes(), ProcessingOptions(scale_factor=2, pivot=Pivot.BASE))
    nodes = glb.unpack(asset.glb)[0]["nodes"]
    assert len(nodes) == 2
    assert nodes[1]["scale"] == [2, 2, 2]
    assert nodes[1]["translation"] == [-3, -4, -9]
    assert asset.report.passed
