"""Collision shapes through the whole pipeline: where each engine looks for them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import trimesh

from asset_processing import (
    CollisionKind,
    CollisionOptions,
    CollisionPlacement,
    EngineProfile,
    InvalidOption,
    ProcessingOptions,
    Report,
    UnsupportedGlb,
    process,
)
from asset_processing.document import GlbDocument
from asset_processing.geometry import bounds_of
from asset_processing.outputs import OutputKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb

_HULL = CollisionOptions(kind=CollisionKind.CONVEX_HULL)
_NAMES = {
    EngineProfile.GENERIC: "Crate_collision_0",
    EngineProfile.BLENDER: "Crate_collision_0",
    EngineProfile.GODOT: "Crate_0-convcolonly",
    EngineProfile.UNITY: "Crate_Collider_0",
    EngineProfile.UNREAL: "UCX_Crate_00",
}


def _crate(glb: type[Glb]) -> bytes:
    built = glb.box()
    built.json["meshes"][0]["name"] = "Crate"
    return built.to_bytes()


@pytest.mark.parametrize("engine", list(EngineProfile))
def test_each_engine_finds_the_shape_where_it_looks(glb: type[Glb], engine: EngineProfile) -> None:
    source = _crate(glb)
    options = ProcessingOptions(engine_profile=engine, collision=_HULL, height_m=4)
    asset = process(source, options)
    facts = asset.report.collision
    assert facts is not None
    assert facts.names == (_NAMES[engine],)
    assert facts.volume_m3 == pytest.approx(2 * 4 * 6)
    inside = engine in (EngineProfile.GODOT, EngineProfile.UNREAL)
    assert facts.placement is (CollisionPlacement.NODES if inside else CollisionPlacement.FILE)
    data = asset.glb if inside else bytes(asset.outputs[0].data)
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    mesh = scene.geometry[_NAMES[engine]]
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(48)
    if not inside:
        assert [output.kind for output in asset.outputs] == [OutputKind.COLLISION]
        assert asset.outputs[0].name == "collision.glb"


def test_the_models_own_figures_leave_the_shape_out(glb: type[Glb]) -> None:
    source = _crate(glb)
    plain = process(source).report
    options = ProcessingOptions(
        collision=CollisionOptions(kind=CollisionKind.BOX, placement=CollisionPlacement.NODES),
        max_triangles=12,
    )
    asset = process(source, options)
    report = asset.report
    for name in ("counts", "topology", "bounds_after", "memory", "uv"):
        assert getattr(report, name) == getattr(plain, name)
    assert report.passed
    document = GlbDocument.parse(asset.glb)
    assert len(document.json["nodes"]) == 2
    assert bounds_of(document).size == pytest.approx((1, 2, 3))
    assert report.result.size_bytes == len(asset.glb)
    assert Report.from_json(report.to_json()) == report


def test_a_file_without_scenes_gets_the_node_as_a_root(glb: type[Glb]) -> None:
    built = glb.box()
    del built.json["scenes"], built.json["scene"]
    options = ProcessingOptions(engine_profile=EngineProfile.GODOT, collision=_HULL)
    document = GlbDocument.parse(process(built.to_bytes(), options).glb)
    assert [node.get("name") for node in document.json["nodes"]] == [None, "Model_0-convcolonly"]


def test_too_many_parts_are_refused_by_name(glb: type[Glb]) -> None:
    collision = CollisionOptions(kind=CollisionKind.CONVEX_DECOMPOSITION, max_parts=1000)
    with pytest.raises(InvalidOption, match=r"collision\.max_parts must be 1 to 256, not 1000\."):
        process(_crate(glb), ProcessingOptions(collision=collision))


def test_every_sample_keeps_all_it_has_beside_its_shapes(sample: Path) -> None:
    source = GlbDocument.parse(sample.read_bytes())
    options = ProcessingOptions(
        collision=CollisionOptions(
            kind=CollisionKind.CONVEX_HULL, placement=CollisionPlacement.NODES
        )
    )
    try:
        asset = process(sample.read_bytes(), options)
    except UnsupportedGlb as error:
        assert "collision" in str(error)  # noqa: PT017
        return
    result = GlbDocument.parse(asset.glb)
    for name, entries in source.json.items():
        found = result.json[name]
        if name in ("nodes", "meshes", "accessors", "bufferViews"):
            found = found[: len(entries)]
        if name not in ("buffers", "scenes", "bufferViews"):
            assert found == entries
    assert [bytes(image.data) for image in result.images] == [
        bytes(image.data) for image in source.images
    ]
    for index, view in enumerate(source.views):
        if not view.compressed:
            assert result.view_bytes(index) == source.view_bytes(index)
