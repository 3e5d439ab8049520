"""Topology: trimesh, which reads and measures on its own, must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh

from asset_processing.document import GlbDocument
from asset_processing.measure import surface_of
from asset_processing.topology import measure_topology

if TYPE_CHECKING:
    from asset_processing.topology import Topology
    from tests.asset_processing.conftest import Glb, GlbBuilder

_SHAPES = {
    "box": trimesh.creation.box(),
    "sphere": trimesh.creation.icosphere(subdivisions=2),
    "ring": trimesh.creation.annulus(0.5, 1, 2),
    "open": trimesh.Trimesh(
        trimesh.creation.icosphere().vertices, trimesh.creation.icosphere().faces[40:]
    ),
    "two": trimesh.util.concatenate(
        [trimesh.creation.box(), trimesh.creation.box().apply_translation([3, 0, 0])]
    ),
}


def _measured(built: GlbBuilder) -> Topology:
    surface = surface_of(GlbDocument.parse(built.to_bytes()))
    assert surface is not None
    return measure_topology(surface)


def _topology(glb: type[Glb], vertices: object, faces: object, **node: object) -> Topology:
    built = glb.builder()
    built.scene(built.add("nodes", mesh=built.mesh(vertices, faces), **node))
    return _measured(built)


@pytest.mark.parametrize("name", list(_SHAPES))
def test_a_mesh_torn_open_at_every_edge_measures_like_the_whole_one(
    glb: type[Glb], name: str
) -> None:
    """Three vertices of its own for each triangle: what a texture atlas does, at its worst."""
    shape = _SHAPES[name]
    vertices = shape.vertices[shape.faces].reshape(-1, 3)
    found = _topology(glb, vertices, np.arange(len(vertices)))
    edges = np.unique(shape.edges_sorted, axis=0, return_counts=True)[1]
    assert found.components == shape.body_count
    assert found.watertight == shape.is_watertight
    assert found.boundary_edges == (edges == 1).sum()
    assert (found.non_manifold_edges, found.degenerate_faces, found.duplicate_faces) == (0, 0, 0)
    assert found.surface_area_m2 == pytest.approx(shape.area, rel=1e-5)
    if shape.is_watertight:
        assert found.volume_m3 == pytest.approx(shape.volume, rel=1e-5)
    else:
        assert found.volume_m3 is None


def test_area_and_volume_are_those_of_the_world(glb: type[Glb]) -> None:
    box = trimesh.creation.box()
    found = _topology(glb, box.vertices, box.faces, scale=[2, -3, 4])
    assert found.surface_area_m2 == pytest.approx(2 * (2 * 3 + 3 * 4 + 2 * 4))
    assert found.volume_m3 == pytest.approx(24)


def test_faults_are_counted_one_by_one(glb: type[Glb]) -> None:
    box = trimesh.creation.box()
    faulty = np.vstack([box.faces, box.faces[:1, [1, 2, 0]], [[0, 0, 1]], [[2, 2, 2]]])
    found = _topology(glb, box.vertices, faulty)
    assert found.duplicate_faces == 1
    assert found.degenerate_faces == 2
    assert found.non_manifold_edges == 3
    assert not found.watertight


def test_a_triangle_turned_over_encloses_nothing(glb: type[Glb]) -> None:
    box = trimesh.creation.box()
    faces = box.faces.copy()
    faces[0] = faces[0, ::-1]
    found = _topology(glb, box.vertices, faces)
    assert found.watertight
    assert found.volume_m3 is None


def test_strips_and_fans_are_triangles(glb: type[Glb]) -> None:
    square = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]
    for mode, order in ((5, [0, 1, 2, 3]), (6, [0, 1, 3, 2])):
        built = glb.builder()
        built.scene(built.add("nodes", mesh=built.mesh(square, order, mode=mode)))
        found = _measured(built)
        assert (found.surface_area_m2, found.boundary_edges) == (1, 4)


def test_points_and_huge_scenes_are_not_measured(glb: type[Glb]) -> None:
    built = glb.builder()
    built.scene(built.add("nodes", mesh=built.mesh([[0, 0, 0], [1, 1, 1]], mode=0)))
    assert surface_of(GlbDocument.parse(built.to_bytes())) is None
    box = GlbDocument.parse(glb.box().to_bytes())
    assert surface_of(box, max_triangles=11) is None
    assert surface_of(box, max_triangles=12) is not None
