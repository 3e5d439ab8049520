"""Collision shapes are convex, closed, turned outward, and hold the model."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh

from asset_processing import UnsupportedGlb
from asset_processing.collision_options import (
    CollisionKind,
    CollisionOptions,
    DecompositionMethod,
)
from asset_processing.document import GlbDocument
from asset_processing.operations._plain_glb import plain_glb
from asset_processing.operations.collision import (
    PROXY_TRIANGLES,
    Shape,
    collision_shapes,
    convex_hull,
    proxy_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb

_PARTS = CollisionOptions(kind=CollisionKind.CONVEX_DECOMPOSITION)


def _solid(shape: Shape) -> trimesh.Trimesh:
    mesh = trimesh.Trimesh(shape.points, shape.faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    return mesh


def _of(glb: type[Glb], mesh: trimesh.Trimesh, options: CollisionOptions) -> list[Shape]:
    built = glb.builder()
    built.scene(built.add("nodes", mesh=built.mesh(mesh.vertices, mesh.faces)))
    return collision_shapes(GlbDocument.parse(built.to_bytes()), options)


def _cross() -> trimesh.Trimesh:
    """Two bars: two convex parts describe it exactly, its hull is three times too large."""
    bars = [trimesh.creation.box([4, 1, 1]), trimesh.creation.box([1, 4, 1])]
    return trimesh.util.concatenate(bars)


def test_the_box_is_that_of_the_bounds(glb: type[Glb]) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=2)
    (box,) = _of(glb, sphere, CollisionOptions(kind=CollisionKind.BOX))
    assert _solid(box).volume == pytest.approx(64, rel=1e-3)
    assert box.points.shape == (8, 3)


def test_the_hull_holds_every_vertex_and_nothing_convex_changes(glb: type[Glb]) -> None:
    options = CollisionOptions(kind=CollisionKind.CONVEX_HULL)
    sphere = trimesh.creation.icosphere(subdivisions=3)
    (hull,) = _of(glb, sphere, options)
    assert _solid(hull).volume == pytest.approx(sphere.volume, rel=1e-5)
    (around,) = _of(glb, _cross(), options)
    assert _solid(around).volume == pytest.approx(16 - 4 * 1.5**2 / 2, rel=1e-5)
    assert len(around.points) == 16  # Only corners of the hull are kept.


def test_a_node_places_and_a_mirror_does_not_turn_the_hull_inside_out(glb: type[Glb]) -> None:
    built = glb.box((0, 0, 0), (1, 1, 1), translation=[10, 0, 0], scale=[-2, 1, 1])
    document = GlbDocument.parse(built.to_bytes())
    (hull,) = collision_shapes(document, CollisionOptions(kind=CollisionKind.CONVEX_HULL))
    assert _solid(hull).bounds.tolist() == [[8, 0, 0], [10, 1, 1]]


@pytest.mark.parametrize("method", list(DecompositionMethod))
def test_parts_follow_what_one_hull_cannot(glb: type[Glb], method: DecompositionMethod) -> None:
    if method is DecompositionMethod.COACD and not os.environ.get("CI"):
        pytest.importorskip("coacd")
    options = CollisionOptions(kind=CollisionKind.CONVEX_DECOMPOSITION, max_parts=8, method=method)
    shapes = _of(glb, _cross(), options)
    assert 2 <= len(shapes) <= 8
    volume = sum(_solid(shape).volume for shape in shapes)
    assert volume == pytest.approx(7, rel=0.2)  # Of the two bars; the hull has 11.5.
    points = np.concatenate([shape.points for shape in shapes])
    assert np.abs(np.abs([points.min(0), points.max(0)]) - [2, 2, 0.5]).max() < 0.1


@pytest.mark.parametrize(
    "solid", [trimesh.creation.box([1, 1, 1]), trimesh.creation.icosphere(subdivisions=4)]
)
def test_what_is_convex_is_one_part_and_not_cut_up(glb: type[Glb], solid: trimesh.Trimesh) -> None:
    (part,) = _of(glb, solid, _PARTS)
    assert _solid(part).volume == pytest.approx(solid.volume, rel=1e-5)


def test_what_is_open_or_dented_is_not_convex(glb: type[Glb]) -> None:
    ball = trimesh.creation.icosphere(subdivisions=3)
    ball.vertices[0] *= 0.2
    assert len(_of(glb, ball, CollisionOptions(kind=_PARTS.kind, max_parts=4))) > 1


def test_the_part_limit_holds_and_one_part_is_the_hull(glb: type[Glb]) -> None:
    knot = trimesh.creation.torus(2, 0.3)
    for most in (1, 3):
        options = CollisionOptions(kind=CollisionKind.CONVEX_DECOMPOSITION, max_parts=most)
        assert len(_of(glb, knot, options)) <= most


def test_the_same_model_gives_the_same_parts(glb: type[Glb]) -> None:
    first, second = (_of(glb, _cross(), _PARTS) for _ in range(2))
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.points, other.points)
        assert np.array_equal(one.faces, other.faces)


@pytest.mark.parametrize("kind", list(CollisionKind))
@pytest.mark.parametrize("turned", [False, True])
def test_what_is_flat_still_gets_a_shape_with_volume(
    glb: type[Glb], kind: CollisionKind, *, turned: bool
) -> None:
    sheet = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]])
    if turned:
        sheet.apply_transform(trimesh.transformations.rotation_matrix(0.5, [0.3, 1, 0]))
    for shape in _of(glb, sheet, CollisionOptions(kind=kind)):
        _solid(shape)


def test_a_proxy_is_small_and_near() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=6)
    points, faces = proxy_of(
        np.asarray(sphere.vertices), np.asarray(sphere.faces), max_triangles=PROXY_TRIANGLES
    )
    assert PROXY_TRIANGLES // 4 < len(faces) <= PROXY_TRIANGLES
    assert np.abs(np.linalg.norm(points, axis=1) - 1).max() < 0.01
    assert convex_hull(points).points.shape[0] > 1000


def test_compressed_models_are_refused_by_name(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["meshes"][0]["primitives"][0]["mode"] = 1
    with pytest.raises(UnsupportedGlb, match=r"No collision shape .* draws no triangles\."):
        collision_shapes(GlbDocument.parse(built.to_bytes()), _PARTS)


def test_options_name_what_is_wrong() -> None:
    for parts in (0, 257):
        options = CollisionOptions(kind=CollisionKind.BOX, max_parts=parts)
        assert dict(options.complaints()) == {"max_parts": f"must be 1 to 256, not {parts}."}
    assert not list(_PARTS.complaints())


def test_a_file_of_shapes_is_read_by_others() -> None:
    shapes = [convex_hull(np.random.default_rng(seed).normal(size=(50, 3))) for seed in (1, 2)]
    data = plain_glb([("a", shapes[0]), ("b", shapes[1])])
    assert GlbDocument.parse(data).json["nodes"][1]["name"] == "b"
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    for name, shape in zip("ab", shapes, strict=True):
        assert scene.geometry[name].volume == pytest.approx(_solid(shape).volume, rel=1e-5)


def test_every_sample_gets_a_box_and_a_hull_around_it(sample: Path) -> None:
    document = GlbDocument.parse(sample.read_bytes())
    (box,) = collision_shapes(document, CollisionOptions(kind=CollisionKind.BOX))
    try:
        (hull,) = collision_shapes(document, CollisionOptions(kind=CollisionKind.CONVEX_HULL))
    except UnsupportedGlb as error:
        assert re.search("compressed|no triangles|more than", str(error))  # noqa: PT017
        return
    assert _solid(hull).volume <= _solid(box).volume * (1 + 1e-6)
