"""Transforms go into the vertices, and every vertex stays where a node would have put it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asset_processing import (
    Box,
    Decode,
    ForwardAxis,
    InvalidOption,
    Pivot,
    ProcessingOptions,
    process,
)
from asset_processing.accessors import numbers
from asset_processing.document import GlbDocument
from asset_processing.geometry import drawn, posed
from asset_processing.operations._placement import ROOT_NAME
from asset_processing.primitives import stored_triangles
from asset_processing.scene import world_matrices
from asset_processing.skinning import Rig

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.asset_processing.conftest import Glb, GlbBuilder

_MOVING = [
    ProcessingOptions(scale_factor=2.5),
    ProcessingOptions(longest_side_m=0.4, pivot=Pivot.CENTER),
    ProcessingOptions(forward_axis=ForwardAxis.PLUS_X),
    ProcessingOptions(forward_axis=ForwardAxis.MINUS_Z, scale_factor=0.3, pivot=Pivot.BASE),
    ProcessingOptions(forward_axis=ForwardAxis.MINUS_X, pivot=Pivot.BASE),
    ProcessingOptions(),
]


def _corners(document: GlbDocument) -> NDArray[np.float64]:
    """The corners of every triangle in the world, in the order they are drawn."""
    found = [np.empty((0, 3))]
    rig = Rig(document)
    for draw, primitive in drawn(document):
        points, matrices = posed(document, draw, primitive, rig)
        triangles = stored_triangles(document, primitive)
        for matrix in matrices[:10]:
            world = points @ matrix[:3, :3].T + matrix[:3, 3]
            if np.linalg.det(matrix[:3, :3]) < 0:
                triangles = triangles[:, ::-1]
            found.append(np.sort(world[triangles].reshape(-1, 9), axis=0).reshape(-1, 3))
    return np.concatenate(found)


def _at_key(document: GlbDocument, animation: dict[str, Any], key: int) -> None:
    """Put every animated node where one of its key frames has it."""
    document.edit_json()
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        rows = numbers(document, sampler["output"])
        spline = sampler.get("interpolation") == "CUBICSPLINE"
        rows = rows[1::3] if spline else rows
        target = channel["target"]
        node = document.json["nodes"][target["node"]]
        if target["path"] != "weights":
            node[target["path"]] = rows[key % len(rows)].tolist()


def _close(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    assert one.shape == other.shape
    span = np.abs(one).max(initial=1e-9)
    assert np.abs(one - other).max(initial=0) <= 2e-5 * span


@pytest.mark.parametrize("options", _MOVING, ids=str)
def test_baked_and_not_baked_draw_the_same_at_rest_and_in_every_animation(
    sample: Path, options: ProcessingOptions
) -> None:
    source = sample.read_bytes()
    by_node = process(source, replace(options, decode=Decode.ALWAYS)).glb
    asset = process(source, replace(options, bake=True))
    assert asset.report.passed
    first, second = GlbDocument.parse(by_node), GlbDocument.parse(asset.glb)
    _close(_corners(first), _corners(second))
    for number, animation in enumerate(first.json.get("animations", [])):
        for key in (0, 3, 7):
            one, two = GlbDocument.parse(by_node), GlbDocument.parse(asset.glb)
            _at_key(one, animation, key)
            _at_key(two, two.json["animations"][number], key)
            _close(_corners(one), _corners(two))


def test_no_sample_keeps_the_added_node_without_a_reason(sample: Path) -> None:
    asset = process(sample.read_bytes(), replace(_MOVING[3], bake=True))
    document = GlbDocument.parse(asset.glb)
    names = [node.get("name") for node in document.json["nodes"]]
    codes = [issue.code.value for issue in asset.report.issues]
    assert (ROOT_NAME in names) == ("TRANSFORM_IN_ROOT_NODE" in codes)
    assert ROOT_NAME not in names


def test_what_baking_does_not_concern_stays(sample: Path) -> None:
    """Materials, images, names, extras, skins' joints and animations' targets."""
    source = sample.read_bytes()
    decoded = process(source, ProcessingOptions(decode=Decode.ALWAYS)).glb
    first = GlbDocument.parse(decoded)
    second = GlbDocument.parse(process(source, ProcessingOptions(scale_factor=2, bake=True)).glb)
    for name in ("textures", "samplers", "images", "cameras", "extras", "asset"):
        one, two = first.json.get(name), second.json.get(name)
        if name == "images":
            one = [{**entry, "bufferView": 0} for entry in one or []]
            two = [{**entry, "bufferView": 0} for entry in two or []]
        assert one == two
    images = [image.data.tobytes() for image in first.images]
    assert images == [image.data.tobytes() for image in second.images]
    for one, two in zip(first.json["nodes"], second.json["nodes"], strict=True):
        moving = ("matrix", "translation", "rotation", "scale")
        assert {k: v for k, v in one.items() if k not in moving} == {
            k: v for k, v in two.items() if k not in moving
        }
    for one, two in zip(first.json["meshes"], second.json["meshes"], strict=True):
        for before, after in zip(one["primitives"], two["primitives"], strict=True):
            for name in before["attributes"]:
                if name.startswith(("TEXCOORD", "COLOR", "JOINTS", "WEIGHTS")):
                    assert np.array_equal(
                        numbers(first, before["attributes"][name]),
                        numbers(second, after["attributes"][name]),
                    )


@pytest.mark.parametrize("options", [_MOVING[1], _MOVING[3]], ids=str)
def test_cameras_and_lights_look_where_they_looked(
    sample: Path, options: ProcessingOptions
) -> None:
    source = sample.read_bytes()
    views = []
    for bake in (False, True):
        document = GlbDocument.parse(process(source, replace(options, bake=bake)).glb)
        world = world_matrices(document)
        found = {}
        for index, node in enumerate(document.json["nodes"]):
            light = node.get("extensions", {}).get("KHR_lights_punctual", {}).get("light")
            if "camera" in node or light is not None:
                matrix = world[index]
                axis = matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])
                found[node.get("camera"), light, len(found)] = (matrix[:3, 3], axis)
        views.append(
            sorted((str(key[:2]), *np.round(value, 4).ravel()) for key, value in found.items())
        )
    assert views[0] == views[1]


def _tilted(glb: type[Glb], **transform: object) -> GlbBuilder:
    """A triangle with a normal, a tangent and a morph target, under a node."""
    built = glb.builder()
    mesh = built.mesh(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0]],
        [[0, 1, 2]],
        attributes={
            "NORMAL": built.accessor([[0, 0, 1]] * 3),
            "TANGENT": built.accessor([[1, 0, 0, 1]] * 3),
        },
        targets=[
            {"POSITION": built.accessor([[0, 0, 1]] * 3), "NORMAL": built.accessor([[1, 0, 0]] * 3)}
        ],
    )
    node = built.add("nodes", mesh=mesh, **transform)
    return built.scene(node)


def test_normals_follow_the_inverse_transpose_and_tangents_the_matrix(glb: type[Glb]) -> None:
    half = np.sqrt(0.5)
    built = _tilted(glb, rotation=[0, half, 0, half], scale=[2, 3, 4], translation=[5, 0, 0])
    document = GlbDocument.parse(process(built.to_bytes(), ProcessingOptions(bake=True)).glb)
    primitive = document.json["meshes"][0]["primitives"][0]
    read = {name: numbers(document, index) for name, index in primitive["attributes"].items()}
    assert np.allclose(read["POSITION"], [[5, 0, 0], [5, 0, -2], [5, 3, 0]], atol=1e-6)
    assert np.allclose(read["NORMAL"], [[1, 0, 0]] * 3, atol=1e-6)
    assert np.allclose(read["TANGENT"], [[0, 0, -1, 1]] * 3, atol=1e-6)
    target = primitive["targets"][0]
    assert np.allclose(numbers(document, target["POSITION"]), [[4, 0, 0]] * 3, atol=1e-6)
    # (0, 0, 1) and (1, 0, 1) become (0, 0, 1/4) and (1/2, 0, 1/4): four times as long.
    assert np.allclose(numbers(document, target["NORMAL"]), [[0, 0, -2]] * 3, atol=1e-6)
    assert set(document.json["nodes"][0]) == {"mesh"}


def test_a_mirrored_mesh_is_turned_over(glb: type[Glb]) -> None:
    built = _tilted(glb, scale=[-1, 1, 1])
    document = GlbDocument.parse(process(built.to_bytes(), ProcessingOptions(bake=True)).glb)
    corners = _corners(document)
    assert np.cross(corners[1] - corners[0], corners[2] - corners[0])[2] != 0
    primitive = document.json["meshes"][0]["primitives"][0]
    points = numbers(document, primitive["attributes"]["POSITION"])
    faces = numbers(document, primitive["indices"]).astype(int).reshape(-1, 3)
    around = np.cross(
        points[faces[0, 1]] - points[faces[0, 0]], points[faces[0, 2]] - points[faces[0, 0]]
    )
    normal = numbers(document, primitive["attributes"]["NORMAL"])[0]
    assert around @ normal > 0
    tangent = numbers(document, primitive["attributes"]["TANGENT"])[0]
    assert tangent.tolist() == [-1, 0, 0, -1]


def test_a_mesh_that_two_nodes_draw_keeps_its_nodes(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("nodes", mesh=0, translation=[9, 0, 0])
    built.json["scenes"][0]["nodes"] = [0, 1]
    source = built.to_bytes()
    assert process(source, ProcessingOptions(bake=True)).glb == source


def test_an_animated_root_is_shifted_in_its_animation(glb: type[Glb]) -> None:
    built = glb.box()
    sampler = {
        "input": built.accessor([0.0, 1.0]),
        "output": built.accessor([[0.0, 0, 0], [10, 0, 0]]),
    }
    channel = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
    built.add("animations", samplers=[sampler], channels=[channel])
    options = ProcessingOptions(scale_factor=2, pivot=Pivot.BASE, bake=True)
    document = GlbDocument.parse(process(built.to_bytes(), options).glb)
    animation = document.json["animations"][0]
    moved = numbers(document, animation["samplers"][animation["channels"][0]["sampler"]]["output"])
    rest = np.array(document.json["nodes"][0]["translation"])
    assert rest.tolist() == [-3, -4, -9]
    assert moved.tolist() == [[-3, -4, -9], [17, -4, -9]]
    assert len(document.accessors) == 4


def test_an_extension_that_may_hold_lengths_keeps_the_node(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["nodes"][0]["extensions"] = {"ACME_spring": {"length": 2}}
    asset = process(built.to_bytes(), ProcessingOptions(scale_factor=2, bake=True))
    (issue,) = (i for i in asset.report.issues if i.code.value == "TRANSFORM_IN_ROOT_NODE")
    assert "ACME_spring" in issue.message


@pytest.mark.parametrize(
    ("axis", "front"),
    [
        (ForwardAxis.PLUS_Z, (0, 0, 1)),
        (ForwardAxis.PLUS_X, (1, 0, 0)),
        (ForwardAxis.MINUS_Z, (0, 0, -1)),
        (ForwardAxis.MINUS_X, (-1, 0, 0)),
    ],
)
@pytest.mark.parametrize("bake", [False, True])
def test_the_front_faces_the_asked_axis(
    glb: type[Glb], axis: ForwardAxis, front: tuple[int, int, int], *, bake: bool
) -> None:
    built = glb.builder()
    nose = built.mesh([[0, 0, 1], [0.1, 0, 0], [0, 0.1, 0]], [[0, 1, 2]])
    built.scene(built.add("nodes", mesh=nose))
    options = ProcessingOptions(forward_axis=axis, bake=bake)
    asset = process(built.to_bytes(), options)
    corners = _corners(GlbDocument.parse(asset.glb))
    assert np.abs(corners - np.array(front)).sum(axis=1).min() < 1e-6
    named = [check for check in asset.report.checks if check.name == "forward_axis"]
    assert [check.passed for check in named] == [True]


def test_a_box_is_filled_on_its_tightest_side(glb: type[Glb]) -> None:
    options = ProcessingOptions(fit_box=Box(width_m=10, height_m=1, depth_m=10))
    report = process(glb.box().to_bytes(), options).report
    assert report.bounds_after.size == pytest.approx((0.5, 1, 1.5))
    (check,) = (check for check in report.checks if check.name == "fit_box")
    assert check.passed


@pytest.mark.parametrize("side", ["width_m", "height_m", "depth_m"])
def test_a_wrong_box_names_its_side(glb: type[Glb], side: str) -> None:
    sides: dict[str, float] = {"width_m": 1, "height_m": 1, "depth_m": 1, side: -1}

    with pytest.raises(InvalidOption, match=f"fit_box.{side}"):
        process(glb.box().to_bytes(), ProcessingOptions(fit_box=Box(**sides)))


def test_baking_twice_changes_nothing(sample: Path) -> None:
    once = process(sample.read_bytes(), ProcessingOptions(bake=True)).glb
    twice = process(once, ProcessingOptions(bake=True)).glb
    assert json.dumps(glb_json(once)) == json.dumps(glb_json(twice))


def glb_json(data: bytes) -> object:
    return GlbDocument.parse(data).json
