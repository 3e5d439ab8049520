"""Simplification of files: the budget, and everything that must come along."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh

from asset_processing import (
    BudgetAction,
    Lod,
    LodPlacement,
    ProcessingError,
    ProcessingOptions,
    UnsupportedGlb,
    process,
)
from asset_processing.accessors import integers, numbers
from asset_processing.document import GlbDocument
from asset_processing.geometry import bounds_of
from asset_processing.issues import IssueCode
from asset_processing.operations.simplify import simplify
from asset_processing.options import Decode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder


def _enforced(**options: Any) -> ProcessingOptions:  # noqa: ANN401  # Options of every type.
    return ProcessingOptions(budget_action=BudgetAction.ENFORCE, **options)


def _ball(glb: type[Glb], *, split: bool = False, **extra: object) -> GlbBuilder:
    """A ball of 1,280 triangles; split in two materials at its equator where asked."""
    built = glb.builder()
    ball = trimesh.creation.icosphere(subdivisions=3)
    faces = np.array(ball.faces)
    normals = {"NORMAL": built.accessor(ball.vertices)}
    if not split:
        mesh = built.mesh(ball.vertices, faces, attributes=normals, **extra)
        return built.scene(built.add("nodes", mesh=mesh))
    upper = ball.triangles_center[:, 1] > 0
    position = built.accessor(ball.vertices)
    parts = [
        {
            "attributes": {"POSITION": position, **normals},
            "indices": built.accessor(faces[chosen].reshape(-1), "<u4"),
            "material": built.add("materials", name=name),
        }
        for name, chosen in (("north", upper), ("south", ~upper))
    ]
    return built.scene(built.add("nodes", mesh=built.add("meshes", primitives=parts)))


def _surface(document: GlbDocument) -> trimesh.Trimesh:
    """All triangles of the first mesh, welded by position."""
    points, faces, start = [], [], 0
    for primitive in document.json["meshes"][0]["primitives"]:
        points.append(numbers(document, primitive["attributes"]["POSITION"]))
        faces.append(integers(document, primitive["indices"]).reshape(-1, 3) + start)
        start += len(points[-1])
    return trimesh.Trimesh(np.concatenate(points), np.concatenate(faces), merge_norm=True)


def _instances(document: GlbDocument) -> list[dict[str, list[Any]]]:
    """The values of every EXT_mesh_gpu_instancing, whose indices leave the document."""
    return [
        {
            name: numbers(document, accessor).tolist()
            for name, accessor in node["extensions"]["EXT_mesh_gpu_instancing"]
            .pop("attributes")
            .items()
        }
        for node in document.json["nodes"]
        if "EXT_mesh_gpu_instancing" in node.get("extensions", {})
    ]


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_every_sample_meets_a_budget_and_keeps_what_is_no_triangle(
    sample: Path, share: float
) -> None:
    """Where twelve triangles or fewer are left for each mesh a budget may be out of reach."""
    source = sample.read_bytes()
    plain = process(source, ProcessingOptions(decode=Decode.ALWAYS))
    before = plain.report.counts
    budget = max(int(before.triangles * share), 1)
    asset = process(source, _enforced(max_triangles=budget))
    after = asset.report.counts
    assert after.triangles > 0
    if budget >= 12 * before.primitives:
        assert after.triangles <= budget
    for name in ("meshes", "nodes", "materials", "textures", "images", "skins", "animations"):
        assert getattr(after, name) == getattr(before, name)
    assert after.morph_targets == before.morph_targets
    old, new = GlbDocument.parse(plain.glb), GlbDocument.parse(asset.glb)
    assert [bytes(image.data) for image in new.images] == [bytes(i.data) for i in old.images]
    assert _instances(new) == _instances(old)  # Takes their accessors' indices out, too.
    for name in ("nodes", "materials", "textures", "samplers", "cameras", "scenes"):
        assert new.json.get(name) == old.json.get(name)
    for animation, kept in zip(
        old.json.get("animations", []), new.json.get("animations", []), strict=True
    ):
        for sampler, same in zip(animation["samplers"], kept["samplers"], strict=True):
            for key in ("input", "output"):
                assert np.array_equal(numbers(old, sampler[key]), numbers(new, same[key]))


def test_nothing_happens_within_the_budget(glb: type[Glb]) -> None:
    source = _ball(glb).to_bytes()
    assert process(source, _enforced(max_triangles=1280)).glb == source


def test_checking_alone_changes_nothing(glb: type[Glb]) -> None:
    source = _ball(glb).to_bytes()
    asset = process(source, ProcessingOptions(max_triangles=100))
    assert asset.glb == source
    assert [check.passed for check in asset.report.checks if check.name == "max_triangles"] == [
        False
    ]


def test_the_report_says_what_was_done(glb: type[Glb]) -> None:
    asset = process(_ball(glb).to_bytes(), _enforced(max_triangles=500))
    (budget,) = (check for check in asset.report.checks if check.name == "max_triangles")
    (issue,) = (each for each in asset.report.issues if each.code is IssueCode.SIMPLIFIED)
    assert budget.passed
    assert budget.measured == 500
    assert "1,280 triangles became 500" in issue.message
    assert asset.report.passed


def test_the_extents_stay_and_the_surface_stays_closed(glb: type[Glb]) -> None:
    source = _ball(glb).to_bytes()
    asset = process(source, _enforced(max_triangles=200))
    old, new = asset.report.bounds_before, asset.report.bounds_after
    assert new.min == pytest.approx(old.min, abs=1e-6)
    assert new.max == pytest.approx(old.max, abs=1e-6)
    assert asset.report.topology
    assert asset.report.topology.watertight


def test_normals_stay_of_unit_length_and_point_outwards(glb: type[Glb]) -> None:
    document = GlbDocument.parse(_ball(glb).to_bytes())
    simplify(document, max_triangles=200)
    attributes = document.json["meshes"][0]["primitives"][0]["attributes"]
    normals = numbers(document, attributes["NORMAL"])
    points = numbers(document, attributes["POSITION"])
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-6)
    outwards = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert (normals * outwards).sum(axis=1).min() > 0.95


def test_two_materials_keep_their_border_closed(glb: type[Glb]) -> None:
    document = GlbDocument.parse(_ball(glb, split=True).to_bytes())
    done = simplify(document, max_triangles=300)
    assert done
    assert done.triangles == 300
    first, second = document.json["meshes"][0]["primitives"]
    assert (first["material"], second["material"]) == (0, 1)
    assert _surface(document).is_watertight
    for primitive, sign in ((first, 1), (second, -1)):
        points = numbers(document, primitive["attributes"]["POSITION"])
        faces = integers(document, primitive["indices"]).reshape(-1, 3)
        assert (sign * points[faces].mean(axis=1)[:, 1]).min() > -0.1


def test_a_vertex_budget_counts_what_the_gpu_stores(glb: type[Glb]) -> None:
    asset = process(_ball(glb, split=True).to_bytes(), _enforced(max_vertices=150))
    assert asset.report.counts.gpu_vertices <= 150
    assert asset.report.passed


def test_a_skinned_mesh_keeps_vertices_with_all_they_carry(glb: type[Glb]) -> None:
    """Joints and weights are of places, so that a vertex that moved would follow wrong ones."""
    built = glb.builder()
    ball = trimesh.creation.icosphere(subdivisions=3)
    count = len(ball.vertices)
    joints = np.zeros((count, 4))
    joints[:, 0] = np.arange(count) % 2
    weights = np.tile([1.0, 0, 0, 0], (count, 1))
    mesh = built.mesh(
        ball.vertices,
        np.array(ball.faces),
        attributes={
            "JOINTS_0": built.accessor(joints, "<u1"),
            "WEIGHTS_0": built.accessor(weights),
            "_ID": built.accessor(np.arange(count), "<f4", type="SCALAR"),
        },
    )
    bones = [built.add("nodes"), built.add("nodes")]
    skin = built.add("skins", joints=bones)
    document = GlbDocument.parse(
        built.scene(built.add("nodes", mesh=mesh, skin=skin), *bones).to_bytes()
    )
    simplify(document, max_triangles=300)
    attributes = document.json["meshes"][0]["primitives"][0]["attributes"]
    number = numbers(document, attributes["_ID"])[:, 0].astype(int)
    assert numbers(document, attributes["POSITION"]) == pytest.approx(ball.vertices[number])
    assert np.array_equal(integers(document, attributes["JOINTS_0"])[:, 0], number % 2)
    assert document.accessors[attributes["JOINTS_0"]].component_type == 5121


def test_morph_targets_come_along(glb: type[Glb]) -> None:
    built = glb.builder()
    ball = trimesh.creation.icosphere(subdivisions=3)
    moved = ball.vertices * [0, 0.5, 0]
    mesh = built.mesh(
        ball.vertices, np.array(ball.faces), targets=[{"POSITION": built.accessor(moved)}]
    )
    built.json["meshes"][mesh]["weights"] = [1.0]
    document = GlbDocument.parse(built.scene(built.add("nodes", mesh=mesh)).to_bytes())
    before = bounds_of(document)
    simplify(document, max_triangles=300)
    (primitive,) = document.json["meshes"][0]["primitives"]
    points = numbers(document, primitive["attributes"]["POSITION"])
    (target,) = primitive["targets"]
    assert numbers(document, target["POSITION"]) == pytest.approx(points * [0, 0.5, 0], abs=1e-6)
    assert bounds_of(document).size == pytest.approx(before.size)


def test_strips_become_triangles(glb: type[Glb]) -> None:
    built = glb.builder()
    steps = np.arange(40)
    points = np.stack([steps // 2, steps % 2, np.zeros(40)], axis=1)
    mesh = built.mesh(points, mode=5)
    document = GlbDocument.parse(built.scene(built.add("nodes", mesh=mesh)).to_bytes())
    simplify(document, max_triangles=2)
    (primitive,) = document.json["meshes"][0]["primitives"]
    assert "mode" not in primitive
    assert _surface(document).area == pytest.approx(19)


def test_small_meshes_beside_a_large_one_are_spared(glb: type[Glb]) -> None:
    built = _ball(glb)
    box = trimesh.creation.box()
    built.add("nodes", mesh=built.mesh(box.vertices, box.faces))
    built.json["scenes"][0]["nodes"].append(1)
    document = GlbDocument.parse(built.to_bytes())
    done = simplify(document, max_triangles=100)
    assert done
    assert done.triangles == 100
    counts = [
        document.accessors[mesh["primitives"][0]["indices"]].count // 3
        for mesh in document.json["meshes"]
    ]
    assert counts == [88, 12]


def test_compressed_vertices_are_refused_by_name(glb: type[Glb]) -> None:
    built = _ball(glb, extensions={"KHR_draco_mesh_compression": {"bufferView": 0}})
    built.json["extensionsUsed"] = ["KHR_draco_mesh_compression"]
    document = GlbDocument.parse(built.to_bytes())
    with pytest.raises(UnsupportedGlb, match="decode"):
        simplify(document, max_triangles=10)


def test_hostile_files_are_refused_by_name_or_simplified(hostile_sample: Path) -> None:
    source = hostile_sample.read_bytes()
    try:
        asset = process(source, _enforced(max_triangles=10, lods=(Lod(ratio=0.5),)))
    except ProcessingError as error:
        assert error.reason  # noqa: PT017  # Either outcome is right.
    else:
        assert process(asset.glb).report.counts.triangles == asset.report.counts.triangles


def test_the_same_input_gives_the_same_bytes(glb: type[Glb]) -> None:
    source = _ball(glb, split=True).to_bytes()
    options = _enforced(max_triangles=99, lods=(Lod(ratio=0.5),))
    first, second = process(source, options), process(source, options)
    assert first.glb == second.glb
    assert first.outputs == second.outputs


def test_levels_of_detail_are_files_that_get_coarser(glb: type[Glb]) -> None:
    source = _ball(glb).to_bytes()
    lods = (Lod(ratio=0.5), Lod(triangles=200), Lod(triangles=50))
    asset = process(source, ProcessingOptions(lods=lods))
    assert asset.glb == source
    assert [output.name for output in asset.outputs] == ["lod_1.glb", "lod_2.glb", "lod_3.glb"]
    counts = [process(bytes(output.data)).report.counts for output in asset.outputs]
    assert [count.triangles for count in counts] == [640, 200, 50]
    assert [check.name for check in asset.report.checks if check.passed][-3:] == [
        "lod_1",
        "lod_2",
        "lod_3",
    ]


def test_levels_of_detail_can_be_nodes(glb: type[Glb]) -> None:
    """The scene goes on showing the full model alone; MSFT_lod names the others, finest first."""
    built = _ball(glb)
    built.json["nodes"][0].update(name="Ball", translation=[1, 2, 3])
    lods = (Lod(ratio=0.5), Lod(ratio=0.25))
    asset = process(
        built.to_bytes(), ProcessingOptions(lods=lods, lod_placement=LodPlacement.NODES)
    )
    document, _ = glb.unpack(asset.glb)
    assert not asset.outputs
    assert [node["name"] for node in document["nodes"]] == ["Ball_LOD0", "Ball_LOD1", "Ball_LOD2"]
    assert document["nodes"][0]["extensions"]["MSFT_lod"]["ids"] == [1, 2]
    assert all(node["translation"] == [1, 2, 3] for node in document["nodes"])
    assert document["extensionsUsed"] == ["MSFT_lod"]
    assert document["scenes"] == [{"nodes": [0]}]
    triangles = [
        document["accessors"][mesh["primitives"][0]["indices"]]["count"] // 3
        for mesh in document["meshes"]
    ]
    assert triangles == [1280, 640, 320]
    assert asset.report.counts.triangles == 1280
    assert asset.report.passed


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"budget_action": BudgetAction.ENFORCE}, "budget_action"),
        ({"lods": (Lod(),)}, "lods[0]"),
        ({"lods": (Lod(ratio=0.5, triangles=3),)}, "lods[0]"),
        ({"lods": (Lod(ratio=1.0),)}, "lods[0].ratio"),
        ({"lods": (Lod(triangles=0),)}, "lods[0].triangles"),
        ({"lods": (Lod(ratio=0.2), Lod(ratio=0.3))}, "lods[1]"),
        ({"lods": (Lod(ratio=0.5),) * 9}, "lods"),
    ],
)
def test_wrong_options_name_their_field(options: dict[str, Any], field: str) -> None:
    assert field in {violation.field for violation in ProcessingOptions(**options).violations()}


def test_vertices_nobody_draws_leave_with_what_they_were_read_from(glb: type[Glb]) -> None:
    """The old accessors are gone from the file, not only from the primitive."""
    source = _ball(glb).to_bytes()
    asset = process(source, _enforced(max_triangles=100))
    document, _ = glb.unpack(asset.glb)
    assert len(document["accessors"]) == 3
    assert len(asset.glb) < len(source) / 4
    assert json.dumps(document).count('"POSITION"') == 1
