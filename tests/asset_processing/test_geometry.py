"""Bounds are those of the vertices that are drawn, where they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import Bounds, GlbTooLarge, InvalidGlb, Limits, process
from asset_processing.document import GlbDocument
from asset_processing.geometry import bounds_of

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb, GlbBuilder

_QUARTER = [0, 0, 0.5**0.5, 0.5**0.5]  # 90 degrees about +Z: +X becomes +Y.


def _bounds(built: GlbBuilder) -> Bounds:
    return bounds_of(GlbDocument.parse(built.to_bytes()))


def test_vertices_that_no_index_names_do_not_count(glb: type[Glb]) -> None:
    """Exporters share one vertex buffer among meshes; each draws its part."""
    built = glb.builder()
    points = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [100, 100, 100]]
    built.scene(built.add("nodes", mesh=built.mesh(points, [0, 1, 2])))
    assert _bounds(built).max == (1, 1, 0)


def test_transforms_apply_from_the_leaf_to_the_root(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 2, 3), translation=[10, 0, 0])
    built.add("nodes", rotation=_QUARTER, scale=[2, 1, 1], children=[0])
    built.json["scenes"] = [{"nodes": [1]}]
    found = _bounds(built)
    assert found.min == pytest.approx((-2, 20, 0))
    assert found.max == pytest.approx((0, 22, 3))
    assert found.size == pytest.approx((2, 2, 3))
    assert found.center == pytest.approx((-1, 21, 1.5))


def test_a_matrix_is_column_major(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 1, 1), matrix=[2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 5, 6, 7, 1])
    assert _bounds(built) == Bounds((5, 6, 7), (7, 9, 11))


def test_nodes_outside_the_default_scene_do_not_count(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 1, 1))
    built.json["scenes"].append({"nodes": [built.add("nodes", mesh=0, translation=[9, 9, 9])]})
    assert _bounds(built).max == (1, 1, 1)
    built.json["scene"] = 1
    assert _bounds(built).max == (10, 10, 10)
    del built.json["scene"], built.json["scenes"]
    assert _bounds(built) == Bounds((0, 0, 0), (10, 10, 10))


def test_instances_are_where_their_attributes_put_them(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 2, 3), translation=[0, 0, 100])
    attributes = {
        "TRANSLATION": built.accessor([[0, 0, 0], [5, 0, 0]]),
        "ROTATION": built.accessor([[0, 0, 0, 1], _QUARTER]),
        "SCALE": built.accessor([[1, 1, 1], [10, 1, 1]]),
    }
    built.json["nodes"][0]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    found = _bounds(built)
    assert found.min == pytest.approx((0, 0, 100), abs=1e-5)
    assert found.max == pytest.approx((5, 10, 103), abs=1e-5)
    report = process(built.to_bytes()).report
    assert (report.counts.triangles, report.counts.triangles_drawn) == (12, 24)


def test_instances_are_counted_before_they_are_read(glb: type[Glb]) -> None:
    built = glb.box()
    attributes = {"TRANSLATION": built.accessor(np.zeros((60, 3)))}
    built.json["nodes"][0]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    document = GlbDocument.parse(built.to_bytes(), Limits(max_instances=59))
    with pytest.raises(GlbTooLarge, match="59 instances"):
        bounds_of(document)


def _skinned(glb: type[Glb]) -> GlbBuilder:
    """A segment whose lower end follows joint 1 and whose upper end follows joint 2."""
    built = glb.builder()
    attributes = {
        "JOINTS_0": built.accessor([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]], "u1"),
        "WEIGHTS_0": built.accessor(
            [[255, 0, 0, 0], [0, 255, 0, 0], [0, 255, 0, 0]], "u1", normalized=True
        ),
    }
    mesh = built.mesh([[0, 0, 0], [0, 2, 0], [1, 2, 0]], attributes=attributes)
    lifted = np.eye(4)
    lifted[1, 3] = -2  # The upper joint was bound at a height of 2.
    inverse = built.accessor([np.eye(4).T.ravel(), lifted.T.ravel()])
    built.add("skins", joints=[1, 2], inverseBindMatrices=inverse)
    built.add("nodes", mesh=mesh, skin=0, translation=[99, 99, 99])
    built.add("nodes", children=[2])
    built.add("nodes", translation=[0, 5, 0])
    return built.scene(0, 1)


def test_skinned_vertices_follow_their_joints_and_not_their_node(glb: type[Glb]) -> None:
    found = _bounds(_skinned(glb))
    assert found.min == pytest.approx((0, 0, 0))
    assert found.max == pytest.approx((1, 5, 0))


def test_a_joint_that_the_skin_has_not_is_refused(glb: type[Glb]) -> None:
    built = _skinned(glb)
    built.json["skins"][0]["joints"] = [1]
    with pytest.raises(InvalidGlb, match="JOINTS_0 names a joint"):
        _bounds(built)


def test_default_morph_weights_are_applied_and_those_of_the_node_win(glb: type[Glb]) -> None:
    built = glb.builder()
    raised = built.accessor([[0, 0, 0], [0, 0, 0], [0, 4, 0]])
    mesh = built.mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], targets=[{"POSITION": raised}])
    built.scene(built.add("nodes", mesh=mesh))
    assert _bounds(built).max == (1, 1, 0)
    built.json["meshes"][0]["weights"] = [0.5]
    assert _bounds(built).max == (1, 3, 0)
    built.json["nodes"][0]["weights"] = [1]
    assert _bounds(built).max == (1, 5, 0)


def test_compressed_vertices_are_measured_by_their_declared_range(glb: type[Glb]) -> None:
    """Normalized, as KHR_mesh_quantization has them."""
    built = glb.box((0, 0, 0), (1, 1, 1), scale=[2, 2, 2])
    entry = built.json["accessors"][0]
    entry.update(componentType=5123, normalized=True, min=[0, 0, 0], max=[65535, 13107, 65535])
    del entry["bufferView"]
    extension = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    built.json["meshes"][0]["primitives"][0]["extensions"] = extension
    assert _bounds(built).max == pytest.approx((2, 0.4, 2))
    del entry["min"]
    with pytest.raises(InvalidGlb, match="no min and max"):
        _bounds(built)


@pytest.mark.parametrize(
    "nodes", [[{}], [{"mesh": 0, "scale": [1e200, 1, 1], "children": [1]}, {"mesh": 0}]]
)
def test_nothing_drawn_and_nothing_finite_are_refused(
    glb: type[Glb], nodes: list[dict[str, object]]
) -> None:
    built = glb.box()
    built.json["nodes"] = nodes
    if len(nodes) > 1:
        nodes[1]["scale"] = [1e200, 1, 1]
    with pytest.raises(InvalidGlb, match=r"no geometry|finite"):
        _bounds(built)
